"""Section `retention`: which raw logs may go, and when."""

from pathlib import PurePosixPath

from opsctl.settings.section import Section, setting

# The rule of the house: two days of raw logs stay, however full the disk.
LEAST_HOURS = 48.0


class Retention(Section):
    """Which raw logs may go, and when. The two youngest days never do."""

    roots: tuple[str, ...] = setting(
        (), "Folders of raw logs that `disk retain` cleans; empty turns it off."
    )
    allow: tuple[str, ...] = setting(
        ("/var/log", "/var/lib", "/srv", "/data"),
        "Folders that the roots must lie in; a root anywhere else is refused.",
        min_length=1,
    )
    patterns: tuple[str, ...] = setting(
        ("*.log", "*.log.*", "*.jsonl", "*.jsonl.*", "*.raw", "*.raw.*"),
        "Names of raw logs; whatever has another name stays.",
        min_length=1,
    )
    max_age_h: float = setting(
        120.0, "Older raw logs go.", ge=LEAST_HOURS, le=87600, allow_inf_nan=False
    )
    min_age_h: float = setting(
        LEAST_HOURS,
        "Younger raw logs never go, however full the disk; 48 is the least.",
        ge=LEAST_HOURS,
        le=87600,
        allow_inf_nan=False,
    )
    compress_after_h: float = setting(
        0.0, "Raw logs older than this are compressed (gzip) in place; 0 turns it off.", ge=0
    )
    clock_slack_s: float = setting(
        300.0,
        "Seconds by which the wall clock may differ from the boot clock between two runs.",
        gt=0,
        le=86400,
    )
    longest_pause_days: float = setting(
        30.0,
        "Days since the last run beyond which a clock is not believed after a reboot.",
        gt=0,
        le=3660,
    )
    threads: int = setting(2, "Folders that are worked on at once.", ge=1, le=16)
    keep_listings_days: float = setting(
        90.0, "How long the names of removed files are remembered.", gt=0, le=3660
    )

    def check(self) -> None:
        if self.max_age_h < self.min_age_h:
            raise ValueError("max_age_h is below min_age_h")
        for path in (*self.roots, *self.allow):
            if not _is_plain(path):
                raise ValueError(f"{path!r} is no absolute path without . and ..")
        if "/" in self.allow or "/" in self.roots:
            raise ValueError("/ itself cannot be cleaned")
        if any("/" in pattern or not pattern for pattern in self.patterns):
            raise ValueError("a pattern is for names, and has no /")

    def allows(self, root: str) -> bool:
        return any(PurePosixPath(root).is_relative_to(place) for place in self.allow)


def _is_plain(path: str) -> bool:
    return path.startswith("/") and ".." not in PurePosixPath(path).parts
