"""What a run works with: files that are ready, rules, patience, and what it tells."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING

from opsctl.migrate.model import Migration, TimeLimits
from opsctl.value import Value

if TYPE_CHECKING:
    from opsctl.sql.lexer import SqlScript

NO_TRANSACTION_HINT = (
    "Put the statement alone into a file whose first line is `-- opsctl: no-transaction`, and set"
    " migrations.allow_non_transactional: true"
)


class PreparedFile(Value):
    """One file, ready to run."""

    migration: Migration
    file: str
    load: Callable[[], str]
    """Gives its text, each time anew: thousands of files wait, and few are looked at twice."""
    limits: TimeLimits
    read_script: Callable[[str], "SqlScript"]
    non_transactional: bool = False
    starts: tuple[int, ...] = ()
    """Where each statement starts."""
    copies: tuple[tuple[int, int, int], ...] = ()
    """Data of COPY: where it starts, ends, and goes on behind its last line."""

    @property
    def text(self) -> str:
        return self.load()

    @property
    def script(self) -> "SqlScript":
        return self.read_script(self.text)


class PrepareOptions(Value):
    """What the settings and flags say about every file."""

    limits: TimeLimits
    read_script: Callable[[str], "SqlScript"]
    """How this database finds the statements of a text."""
    why_not_in_transaction: Callable[[Sequence[str]], str]
    """Why a statement cannot run in a transaction of this database, or empty."""
    allow_non_transactional: bool = False
    accepts_copy_data: bool = True
    variables: Mapping[str, str] = MappingProxyType({})


class WaitLimits(Value):
    """How long to wait for others, in seconds."""

    runner_timeout_s: float
    """For another runner."""
    retries: int
    """How often a file is tried again that found what it needs locked."""
    first_pause_s: float = 0.5
    longest_pause_s: float = 15.0


class MigrationEvent(Value):
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


def make_event(
    event: str,
    prepared: PreparedFile,
    *,
    duration_ms: int | None = None,
    note: str = "",
    blockers: tuple[str, ...] = (),
) -> MigrationEvent:
    migration = prepared.migration
    return MigrationEvent(
        event, migration.version, migration.name, prepared.file, duration_ms, note, blockers
    )


def describe_applied(files: Sequence[str]) -> str:
    """Say what a run has applied so far, and what stays whatever happens now."""
    if not files:
        return "no file of this run was applied"
    shown = files[0] if len(files) == 1 else f"{files[0]} to {files[-1]}"
    return f"{len(files)} of this run {'is' if len(files) == 1 else 'are'} kept: {shown}"


ReportEvent = Callable[[MigrationEvent], None]


class MigrationFlags(Value):
    """What the flags say about every file of a run."""

    variables: Mapping[str, str] = MappingProxyType({})
    runner_timeout_s: float | None = None


class ApplyReport(Value):
    """What a run has applied, in order."""

    applied: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    pending: int = 0
    """Files that are left, because the run was told to stop before them."""
