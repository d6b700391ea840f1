"""Section `disk`: which mounts are checked, and when they are too full."""

from collections.abc import Mapping
from pathlib import Path

from opsctl.settings.section import Section, setting

MAX_PERCENT = 100.0


class Disk(Section):
    """Which mounts are checked, and when they are too full."""

    warn_percent: float = setting(
        80.0,
        "Used share that warns, of space and of inodes; blocks reserved for root count as used.",
        gt=0,
        le=MAX_PERCENT,
    )
    critical_percent: float = setting(90.0, "Used share that is critical.", gt=0, le=MAX_PERCENT)
    clear_percent: float = setting(
        75.0, "A problem is over when the used share is below this.", gt=0, le=MAX_PERCENT
    )
    mounts: tuple[str, ...] = setting(
        (),
        "Mounts that must exist and are checked, optionally with thresholds of their own:"
        " /data=85/95/80 (warn/critical/clear). Empty: every disk of this machine.",
    )
    timeout_s: float = setting(2.0, "Longest wait for one mount to answer.", gt=0, le=60)
    folders: tuple[str, ...] = setting(
        ("/var/log",), "Folders whose largest subfolders `disk check` lists."
    )
    folders_limit_s: float = setting(
        2.0, "Longest time to measure all these folders.", gt=0, le=600
    )
    folders_shown: int = setting(5, "How many of the largest folders are listed.", ge=1, le=100)
    engine_dir: str = setting("/var/lib/docker", "Data directory of the container engine.")
    engine_limit_s: float = setting(
        5.0, "Longest wait for the engine to report its disk usage.", gt=0, le=600
    )
    trend_days: float = setting(14.0, "Days of history that `disk trend` uses.", gt=0, le=366)
    trend_min_hours: float = setting(24.0, "Least history for a trend.", gt=0, le=8784)
    full_within_days: float = setting(
        3.0, "Warn when the trend fills a mount within these days; 0 turns it off.", ge=0, le=366
    )
    watch_every_s: float = setting(60.0, "Time between two checks of `disk watch`.", ge=1, le=86400)

    def check(self) -> None:
        _check_order("disk", (self.warn_percent, self.critical_percent, self.clear_percent))
        _parse_mounts(self.mounts)

    def named_mounts(self) -> tuple[Path, ...]:
        """List the mounts in the settings; none means all."""
        return tuple(Path(mount) for mount in _parse_mounts(self.mounts))

    def thresholds(self, mount: str) -> tuple[float, float, float]:
        """Return where this mount warns, is critical, and clears."""
        own = _parse_mounts(self.mounts).get(mount)
        return own or (self.warn_percent, self.critical_percent, self.clear_percent)


def _parse_mounts(mounts: tuple[str, ...]) -> Mapping[str, tuple[float, float, float] | None]:
    return dict(_parse_mount(entry) for entry in mounts)


def _parse_mount(entry: str) -> tuple[str, tuple[float, float, float] | None]:
    mount, _, thresholds = entry.partition("=")
    if not mount.startswith("/"):
        raise ValueError(f"{entry!r} is not an absolute path")
    if not thresholds:
        return mount, None
    try:
        warn_at, critical_at, clear_below = (float(part) for part in thresholds.split("/"))
    except ValueError:
        raise ValueError(f"{entry!r} is not /mount=warn/critical/clear") from None
    _check_order(entry, (warn_at, critical_at, clear_below))
    return mount, (warn_at, critical_at, clear_below)


def _check_order(name: str, thresholds: tuple[float, float, float]) -> None:
    warn_at, critical_at, clear_below = thresholds
    if not 0 < clear_below <= warn_at <= critical_at <= MAX_PERCENT:
        raise ValueError(
            f"{name}: clear <= warn <= critical is required, each above 0, at most 100"
        )
