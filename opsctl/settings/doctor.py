"""Section `doctor`: how long `opsctl doctor` asks, and what it calls trouble."""

from opsctl.settings.section import Section, setting


class Doctor(Section):
    """How long `opsctl doctor` asks, and what it calls trouble."""

    timeout_s: float = setting(
        1.2, "Longest wait for one check; all run side by side.", gt=0, le=60
    )
    disk_warn_percent: float = setting(
        80.0,
        "Used share of a disk that warns; blocks reserved for root count as used.",
        ge=1,
        le=100,
    )
    disk_critical_percent: float = setting(
        90.0, "Used share of a disk that is critical.", ge=1, le=100
    )
    clock_skew_s: float = setting(
        2.0, "Most seconds between this clock and that of another system.", gt=0, le=3600
    )
    urls: tuple[str, ...] = setting(
        (), "HTTP addresses that must answer, e.g. the stack's own health page."
    )
