"""What a check says: one finding each, from fine to critical, with the way out."""

from collections.abc import Iterable
from enum import StrEnum

from opsctl.value import Value


class Level(StrEnum):
    OK = "ok"
    ADVICE = "advice"
    """Worth a thought, and no trouble."""
    WARNING = "warning"
    UNKNOWN = "unknown"
    CRITICAL = "critical"


_SEVERITY = (Level.OK, Level.ADVICE, Level.WARNING, Level.UNKNOWN, Level.CRITICAL)


class Figure(Value):
    """A number behind a finding, with the marks it is judged by."""

    name: str
    value: float
    unit: str = ""
    warn_at: float | None = None
    critical_at: float | None = None


class Finding(Value):
    """One answer of one check; `fix` says what to type or change."""

    check: str
    level: Level
    what: str
    fix: str = ""
    file: str = ""
    line: int | None = None
    figures: tuple[Figure, ...] = ()
    why: str = ""
    """The rule behind it, and why there is one."""
    key: str = ""
    """The same in every run, wherever its line moves to."""

    @property
    def is_problem(self) -> bool:
        return self.level not in {Level.OK, Level.ADVICE}


class Thresholds(Value):
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


def worst_level(findings: Iterable[Finding]) -> Level:
    """Judge all by the worst; nothing found is fine."""
    return max((finding.level for finding in findings), key=_SEVERITY.index, default=Level.OK)
