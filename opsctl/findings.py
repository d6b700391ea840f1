"""The findings of checks: level, what, and how to fix it."""

from collections.abc import Iterable
from enum import StrEnum

from opsctl.value import Value


class Level(StrEnum):
    OK = "ok"
    ADVICE = "advice"
    """Worth a look, but not a problem."""
    WARNING = "warning"
    UNKNOWN = "unknown"
    CRITICAL = "critical"


_SEVERITY = (Level.OK, Level.ADVICE, Level.WARNING, Level.UNKNOWN, Level.CRITICAL)


class Figure(Value):
    """A number behind a finding, with its thresholds."""

    name: str
    value: float
    unit: str = ""
    warn_at: float | None = None
    critical_at: float | None = None


class Finding(Value):
    """One result of one check; `fix` says what to type or change."""

    check: str
    level: Level
    what: str
    fix: str = ""
    file: str = ""
    line: int | None = None
    figures: tuple[Figure, ...] = ()
    why: str = ""
    """The reason of the rule behind it."""
    key: str = ""
    """Stable across runs, even if its line moves."""

    @property
    def is_problem(self) -> bool:
        return self.level not in {Level.OK, Level.ADVICE}


class Thresholds(Value):
    """Where a reading becomes a problem, and below which it is cleared."""

    warn_at: float
    critical_at: float
    clear_below: float

    def level_of(self, value: float, *, was: Level = Level.OK) -> Level:
        """Judge a reading; one on a threshold counts as over it, a problem lasts until cleared."""
        if value >= self.critical_at:
            return Level.CRITICAL
        is_raised = was in {Level.WARNING, Level.CRITICAL}
        if value >= self.warn_at or (is_raised and value >= self.clear_below):
            return Level.WARNING
        return Level.OK


def worst_level(findings: Iterable[Finding]) -> Level:
    """Give the worst level; no findings are ok."""
    return max((finding.level for finding in findings), key=_SEVERITY.index, default=Level.OK)
