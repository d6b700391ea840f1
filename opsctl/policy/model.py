"""The data of `opsctl check`: rules, violations and the report."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

from opsctl.findings import Finding, Level

Subject_contra = TypeVar("Subject_contra", contravariant=True)


class Severity(StrEnum):
    """Advice never fails a check, a warning and an error do."""

    ADVICE = "advice"
    WARNING = "warning"
    ERROR = "error"


LEVELS = {
    Severity.ADVICE: Level.ADVICE,
    Severity.WARNING: Level.WARNING,
    Severity.ERROR: Level.CRITICAL,
}


@dataclass(frozen=True, slots=True)
class Violation:
    """One place that breaks a rule; `what` names no line, so that it is the same after a move."""

    what: str
    file: str = ""
    line: int | None = None
    fix: str = ""
    """In place of the rule's own."""
    level: Level | None = None
    """In place of the rule's severity."""


@dataclass(frozen=True, slots=True)
class Rule(Generic[Subject_contra]):
    """A plain function over what was read, with what people need to know about it."""

    id: str
    severity: Severity
    reason: str
    fix: str
    find: Callable[[Subject_contra], Iterable[Violation]]


def rule(
    name: str, severity: Severity, *, reason: str, fix: str
) -> Callable[[Callable[[Subject_contra], Iterable[Violation]]], Rule[Subject_contra]]:
    """Make a function a rule."""

    def made(find: Callable[[Subject_contra], Iterable[Violation]]) -> Rule[Subject_contra]:
        return Rule(name, severity, reason, fix, find)

    return made


@dataclass(frozen=True, slots=True)
class Suppressed:
    """A finding that is suppressed."""

    check: str
    file: str
    line: int | None
    what: str
    by: str
    """Where that is written: a line, the baseline, or an exception of the project."""
    reason: str


@dataclass(frozen=True, slots=True)
class PolicyReport:
    """The result of every rule, passing ones included."""

    findings: tuple[Finding, ...]
    suppressed: tuple[Suppressed, ...] = ()
    files: int = 0
    rules: int = 0
