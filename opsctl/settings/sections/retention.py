"""Section `retention`: which raw logs are deleted, and when."""

from pathlib import PurePosixPath

from opsctl.settings.section import Section, setting

# Two days of raw logs stay, however full the disk is.
MIN_HOURS = 48.0


class Retention(Section):
    """Which raw logs are deleted, and when; never those of the last two days."""

    roots: tuple[str, ...] = setting(
        (), "Folders of raw logs that `disk retain` cleans; empty turns it off."
    )
    allow: tuple[str, ...] = setting(
        ("/var/log", "/var/lib", "/srv", "/data"),
        "Folders that must contain the roots; any other root is refused.",
        min_length=1,
    )
    patterns: tuple[str, ...] = setting(
        ("*.log", "*.log.*", "*.jsonl", "*.jsonl.*", "*.raw", "*.raw.*"),
        "Name patterns of raw logs; other files are kept.",
        min_length=1,
    )
    max_age_h: float = setting(
        120.0, "Delete raw logs older than this.", ge=MIN_HOURS, le=87600, allow_inf_nan=False
    )
    min_age_h: float = setting(
        MIN_HOURS,
        "Never delete raw logs younger than this, however full the disk is; at least 48.",
        ge=MIN_HOURS,
        le=87600,
        allow_inf_nan=False,
    )
    compress_after_h: float = setting(
        0.0, "Compress (gzip) raw logs older than this in place; 0 turns it off.", ge=0
    )
    clock_tolerance_s: float = setting(
        300.0,
        "How far the wall clock may drift from the boot clock between two runs.",
        gt=0,
        le=86400,
    )
    max_pause_days: float = setting(
        30.0,
        "After a reboot, do not trust the clock if the last run was longer ago than this.",
        gt=0,
        le=3660,
    )
    workers: int = setting(2, "Folders that are cleaned in parallel.", ge=1, le=16)
    keep_listings_days: float = setting(
        90.0, "How long the names of deleted files are recorded.", gt=0, le=3660
    )

    def check(self) -> None:
        if self.max_age_h < self.min_age_h:
            raise ValueError("max_age_h is below min_age_h")
        for path in (*self.roots, *self.allow):
            if not _is_plain(path):
                raise ValueError(f"{path!r} is not an absolute path without . and ..")
        if "/" in self.allow or "/" in self.roots:
            raise ValueError("/ itself cannot be cleaned")
        if any("/" in pattern or not pattern for pattern in self.patterns):
            raise ValueError("a pattern matches file names, and has no /")

    def allows(self, root: str) -> bool:
        return any(PurePosixPath(root).is_relative_to(place) for place in self.allow)


def _is_plain(path: str) -> bool:
    return path.startswith("/") and ".." not in PurePosixPath(path).parts
