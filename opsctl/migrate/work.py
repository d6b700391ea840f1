"""What a run works with: files that are ready, rules, patience, and what it tells."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from opsctl.migrate.model import Limits, Migration

if TYPE_CHECKING:
    from opsctl.migrate.lexer import Script

ALONE_HINT = (
    "Put the statement alone into a file whose first line is `-- opsctl: no-transaction`, and set"
    " migrations.allow_non_transactional: true"
)


@dataclass(frozen=True, slots=True)
class Work:
    """One file, ready to run."""

    migration: Migration
    file: str
    text: str
    script: "Script"
    limits: Limits
    alone: bool = False

    @property
    def copies(self) -> tuple[tuple[int, int, int], ...]:
        return tuple((copy.start, copy.end, copy.after) for copy in self.script.copies)

    @property
    def starts(self) -> tuple[int, ...]:
        return tuple(statement.start.offset for statement in self.script.statements)


@dataclass(frozen=True, slots=True)
class Rules:
    """What the settings and flags say about every file."""

    limits: Limits
    read: Callable[[str], "Script"]
    """How this database finds the statements of a text."""
    why_alone: Callable[[Sequence[str]], str]
    """Why a statement cannot run in a transaction of this database, or empty."""
    allow_alone: bool = False
    takes_copy: bool = True
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait for others, in seconds."""

    runner_s: float
    """For another runner."""
    retries: int
    """How often a file is tried again that found what it needs locked."""
    first_pause_s: float = 0.5
    longest_pause_s: float = 15.0


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened to one file."""

    event: str
    version: int
    name: str
    file: str
    duration_ms: int | None = None
    note: str = ""
    blockers: tuple[str, ...] = ()

    def __str__(self) -> str:
        took = "" if self.duration_ms is None else f" ({self.duration_ms} ms)"
        note = f": {self.note}" if self.note else ""
        return f"{self.event} {self.file}{took}{note}"


Tell = Callable[[Event], None]


@dataclass(frozen=True, slots=True)
class Asked:
    """What the flags say about every file of a run."""

    values: Mapping[str, str] = field(default_factory=dict)
    runner_s: float | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run has applied, in order."""

    applied: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
