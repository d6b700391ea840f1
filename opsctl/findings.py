"""What a check says: one finding each, from fine to critical, with the way out."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    OK = "ok"
    WARNING = "warning"
    UNKNOWN = "unknown"
    CRITICAL = "critical"


_SEVERITY = (Level.OK, Level.WARNING, Level.UNKNOWN, Level.CRITICAL)


@dataclass(frozen=True, slots=True)
class Figure:
    """A number behind a finding, with the marks it is judged by."""

    name: str
    value: float
    unit: str = ""
    warn_at: float | None = None
    critical_at: float | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """One answer of one check; `fix` says what to type or change."""

    check: str
    level: Level
    what: str
    fix: str = ""
    file: str = ""
    line: int | None = None
    figures: tuple[Figure, ...] = ()


@dataclass(frozen=True, slots=True)
class Marks:
    """Where a reading becomes trouble, and below which it is none any more."""

    warn_at: float
    critical_at: float
    clear_below: float

    def place(self, value: float, *, was: Level = Level.OK) -> Level:
        """Judge a reading; one on a mark counts as over it, and trouble stands until it clears."""
        if value >= self.critical_at:
            return Level.CRITICAL
        is_raised = was in {Level.WARNING, Level.CRITICAL}
        if value >= self.warn_at or (is_raised and value >= self.clear_below):
            return Level.WARNING
        return Level.OK


def worst(findings: Iterable[Finding]) -> Level:
    """Judge all by the worst; nothing found is fine."""
    return max((finding.level for finding in findings), key=_SEVERITY.index, default=Level.OK)
