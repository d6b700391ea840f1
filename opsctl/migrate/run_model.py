"""What a run works with: prepared files, options, wait limits, events and the report."""

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
    """One file, parsed, checked and ready to run."""

    migration: Migration
    file: str
    load: Callable[[], str]
    """Loads the text on each call, so that thousands of pending files do not fill memory."""
    limits: TimeLimits
    read_script: Callable[[str], "SqlScript"]
    non_transactional: bool = False
    starts: tuple[int, ...] = ()
    """Where each statement starts."""
    copies: tuple[tuple[int, int, int], ...] = ()
    """COPY data: where it starts, where it ends, and where SQL continues after its last line."""

    @property
    def text(self) -> str:
        return self.load()

    @property
    def script(self) -> "SqlScript":
        return self.read_script(self.text)


class PrepareOptions(Value):
    """How files are parsed and checked, from the settings and flags."""

    limits: TimeLimits
    read_script: Callable[[str], "SqlScript"]
    """Splits a text into statements, as this database would."""
    why_not_in_transaction: Callable[[Sequence[str]], str]
    """Says why this database refuses a statement in a transaction; empty if it does not."""
    allow_non_transactional: bool = False
    accepts_copy_data: bool = True
    variables: Mapping[str, str] = MappingProxyType({})


class WaitLimits(Value):
    """How long to wait for others, in seconds."""

    runner_timeout_s: float
    """For another runner."""
    retries: int
    """How often a file is retried after a retryable error."""
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
    """Describe what a run has applied so far, which stays whatever happens now."""
    if not files:
        return "no file was applied in this run"
    shown = files[0] if len(files) == 1 else f"{files[0]} to {files[-1]}"
    return f"{len(files)} applied in this run and kept: {shown}"


ReportEvent = Callable[[MigrationEvent], None]


class MigrationFlags(Value):
    """Flags that apply to every file of a run."""

    variables: Mapping[str, str] = MappingProxyType({})
    runner_timeout_s: float | None = None


class ApplyReport(Value):
    """The files that a run has applied, in order."""

    applied: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    pending: int = 0
    """Files still pending, beyond what was requested."""
