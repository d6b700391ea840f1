"""Section `doctor`: how long `opsctl doctor` waits, and what it reports as a problem."""

from opsctl.settings.section import Section, setting


class Doctor(Section):
    """How long `opsctl doctor` waits, and what it reports as a problem."""

    timeout_s: float = setting(1.2, "Longest wait for one check; all run in parallel.", gt=0, le=60)
    clock_skew_s: float = setting(
        2.0, "Maximum seconds between this clock and that of another system.", gt=0, le=3600
    )
    urls: tuple[str, ...] = setting(
        (), "HTTP addresses that must answer, e.g. the stack's own health page."
    )
