"""The nouns of `opsctl disk`."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from opsctl.findings import Finding


@dataclass(frozen=True, slots=True)
class MountShare:
    """One mount as it was measured."""

    mount: Path
    device: str
    percent: float
    total_bytes: int
    used_bytes: int
    free_bytes: int
    inode_percent: float
    inodes: int
    inodes_free: int


@dataclass(frozen=True, slots=True)
class Share:
    """What one kind of engine's things takes, and what `opsctl prune` would give back."""

    what: str
    size_bytes: int
    prunable_bytes: int


@dataclass(frozen=True, slots=True)
class FolderSize:
    path: Path
    size_bytes: int
    is_whole: bool
    """False where time ran out: it is at least so large."""


@dataclass(frozen=True, slots=True)
class CheckReport:
    findings: tuple[Finding, ...]
    mounts: tuple[MountShare, ...] = ()
    engine: tuple[Share, ...] = ()
    folders: tuple[FolderSize, ...] = ()
    notes: tuple[str, ...] = ()
    """What could not be seen, and is no trouble of the disk."""


@dataclass(frozen=True, slots=True)
class Point:
    at: datetime
    percent: float


@dataclass(frozen=True, slots=True)
class Slope:
    """Percent a day; the true one lies between low and high nine times out of ten."""

    low: float
    middle: float
    high: float


@dataclass(frozen=True, slots=True)
class Forecast:
    """When a mount will be full; None where that is never, or not known."""

    soonest: datetime | None
    likeliest: datetime | None
    latest: datetime | None


@dataclass(frozen=True, slots=True)
class Trend:
    mount: str
    points: tuple[Point, ...]
    said: str
    slope: Slope | None = None
    forecast: Forecast | None = None


@dataclass(frozen=True, slots=True)
class TrendReport:
    findings: tuple[Finding, ...]
    trends: tuple[Trend, ...]


class Deed(StrEnum):
    REMOVE = "remove"
    COMPRESS = "compress"


@dataclass(frozen=True, slots=True)
class Step:
    """What happens to files of one folder, and why."""

    deed: Deed
    folder: str
    files: int
    size_bytes: int
    reason: str


@dataclass(frozen=True, slots=True)
class RetainReport:
    """What went, or would go; `run` names it in the audit."""

    run: str
    is_dry: bool
    findings: tuple[Finding, ...]
    steps: tuple[Step, ...]
    files: int
    freed_bytes: int
    compressed_files: int = 0
    saved_bytes: int = 0
