"""Section `disk`: which mounts are watched, and when they are too full."""

from collections.abc import Mapping
from pathlib import Path

from opsctl.settings.section import Section, setting

MOST_PERCENT = 100.0


class Disk(Section):
    """Which mounts are watched, and when they are too full."""

    warn_percent: float = setting(
        80.0,
        "Used share that warns, of space and of inodes; blocks reserved for root count as used.",
        gt=0,
        le=MOST_PERCENT,
    )
    critical_percent: float = setting(90.0, "Used share that is critical.", gt=0, le=MOST_PERCENT)
    clear_percent: float = setting(
        75.0, "What was raised stands until the used share is below this.", gt=0, le=MOST_PERCENT
    )
    mounts: tuple[str, ...] = setting(
        (),
        "Mounts that must be there and are watched, with marks of their own where wanted:"
        " /data=85/95/80 (warn/critical/clear). Empty: every disk of this machine.",
    )
    timeout_s: float = setting(2.0, "Longest wait for one mount to answer.", gt=0, le=60)
    folders: tuple[str, ...] = setting(
        ("/var/log",), "Folders in which the largest are named by `disk check`."
    )
    folders_limit_s: float = setting(2.0, "Longest time to add up all these folders.", gt=0, le=600)
    folders_shown: int = setting(5, "How many of the largest folders are named.", ge=1, le=100)
    engine_dir: str = setting("/var/lib/docker", "Where the container engine keeps its data.")
    engine_limit_s: float = setting(
        5.0, "Longest wait for the engine to add up what it takes.", gt=0, le=600
    )
    trend_days: float = setting(14.0, "History that `disk trend` looks at.", gt=0, le=366)
    trend_least_hours: float = setting(24.0, "History below which no trend is told.", gt=0, le=8784)
    full_within_days: float = setting(
        3.0, "Warn when the trend fills a mount within these days; 0 turns it off.", ge=0, le=366
    )
    watch_every_s: float = setting(60.0, "Time between two looks of `disk watch`.", ge=1, le=86400)

    def check(self) -> None:
        _in_order("disk", (self.warn_percent, self.critical_percent, self.clear_percent))
        _parsed(self.mounts)

    def watched(self) -> tuple[Path, ...]:
        """List the mounts that are named; none means all."""
        return tuple(Path(mount) for mount in _parsed(self.mounts))

    def marks(self, mount: str) -> tuple[float, float, float]:
        """Say where this mount warns, is critical, and clears."""
        own = _parsed(self.mounts).get(mount)
        return own or (self.warn_percent, self.critical_percent, self.clear_percent)


def _parsed(mounts: tuple[str, ...]) -> Mapping[str, tuple[float, float, float] | None]:
    return dict(_entry(entry) for entry in mounts)


def _entry(entry: str) -> tuple[str, tuple[float, float, float] | None]:
    mount, _, marks = entry.partition("=")
    if not mount.startswith("/"):
        raise ValueError(f"{entry!r} is no absolute path")
    if not marks:
        return mount, None
    try:
        warn_at, critical_at, clear_below = (float(part) for part in marks.split("/"))
    except ValueError:
        raise ValueError(f"{entry!r} is not /mount=warn/critical/clear") from None
    _in_order(entry, (warn_at, critical_at, clear_below))
    return mount, (warn_at, critical_at, clear_below)


def _in_order(name: str, marks: tuple[float, float, float]) -> None:
    warn_at, critical_at, clear_below = marks
    if not 0 < clear_below <= warn_at <= critical_at <= MOST_PERCENT:
        raise ValueError(f"{name}: clear <= warn <= critical is wanted, each above 0, at most 100")
