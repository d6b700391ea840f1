"""The nouns of `opsctl disk`."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from opsctl.findings import Finding
from opsctl.health_rules.disk import EngineUsage


@dataclass(frozen=True, slots=True)
class MountUsage:
    """The measured usage of one mount."""

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
class FolderSize:
    path: Path
    size_bytes: int
    is_complete: bool
    """False if the time limit was reached: it is at least this large."""


@dataclass(frozen=True, slots=True)
class DiskCheckReport:
    findings: tuple[Finding, ...]
    mounts: tuple[MountUsage, ...] = ()
    engine: tuple[EngineUsage, ...] = ()
    folders: tuple[FolderSize, ...] = ()
    notes: tuple[str, ...] = ()
    """What could not be measured, without being a problem of the disk."""


@dataclass(frozen=True, slots=True)
class UsagePoint:
    at: datetime
    percent: float


@dataclass(frozen=True, slots=True)
class UsageSlope:
    """Percent per day; low to high is the 90 % confidence interval."""

    low: float
    middle: float
    high: float


@dataclass(frozen=True, slots=True)
class FullForecast:
    """When a mount will be full; None for never or unknown."""

    soonest: datetime | None
    likeliest: datetime | None
    latest: datetime | None


@dataclass(frozen=True, slots=True)
class DiskTrend:
    mount: str
    points: tuple[UsagePoint, ...]
    summary: str
    slope: UsageSlope | None = None
    forecast: FullForecast | None = None


@dataclass(frozen=True, slots=True)
class DiskTrendReport:
    findings: tuple[Finding, ...]
    trends: tuple[DiskTrend, ...]


class RetainAction(StrEnum):
    DELETE = "delete"
    COMPRESS = "compress"


@dataclass(frozen=True, slots=True)
class RetainStep:
    """What happens to the files of one folder, and why."""

    action: RetainAction
    folder: str
    files: int
    size_bytes: int
    reason: str


@dataclass(frozen=True, slots=True)
class RetainReport:
    """What was deleted, or would be; `run` is its id in the audit."""

    run: str
    is_dry: bool
    findings: tuple[Finding, ...]
    steps: tuple[RetainStep, ...]
    files: int
    freed_bytes: int
    compressed_files: int = 0
    saved_bytes: int = 0
