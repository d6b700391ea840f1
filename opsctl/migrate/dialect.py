"""What differs between kinds of databases."""

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from enum import Enum, auto
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from opsctl.migrate.model import TimeLimits
from opsctl.migrate.run_model import PreparedFile
from opsctl.systems.sql_scripts import Row, ScriptError, Scripts, ScriptSession
from opsctl.value import Value

if TYPE_CHECKING:
    from opsctl.sql.lexer import SqlScript

_SQL = Path(__file__).parent / "sql"


class ErrorKind(Enum):
    """What a database error means for a run."""

    DUPLICATE = auto()
    """A row with this version already exists."""
    RETRYABLE = auto()
    """Rolled back because of another session; the same file may succeed when retried."""
    NOT_IN_TRANSACTION = auto()
    TIMED_OUT = auto()
    OTHER = auto()


class Blocker(Value):
    """A session that holds the lock we wait for."""

    pid: int
    who: str
    query: str
    age_s: float

    def __str__(self) -> str:
        age = f"for {self.age_s:.0f} s" if self.age_s >= 1 else "now"
        return f"pid {self.pid} ({self.who}, {age}): {self.query or 'no query'}"


class TableLockEstimate(Value):
    """A lock on a table, with the size of the table before the run."""

    table: str
    lock: str
    rows: int | None = None
    size_bytes: int | None = None


class SchemaObject(Value):
    """One object of a schema, with its full definition."""

    kind: str
    name: str
    definition: str


class BlockerWatch(Protocol):
    """Watches, over its own connection, for sessions that block us."""

    def start_file(self, *, lock_s: float) -> None:
        """Note that a file starts now."""
        ...

    def blockers(self) -> Sequence[Blocker]:
        """List who blocked the last file."""
        ...


class Dialect(Protocol):
    name: str
    table: str
    """The tracking table, as SQL names it."""
    begin: str
    who: str
    """Who applies, for databases that have no users of their own."""
    accepts_copy_data: bool
    async_commit: tuple[str, ...]
    """Statements that let the next file start before this commit is on disk."""
    row_query: str
    """The query of `read_rows`, which may be sent ahead while files are read."""
    shadow_hint: str
    """What to try if no shadow database can be created."""
    scripts: Scripts

    def tracking_ddl(self) -> str:
        """Return the statements that create the tracking table."""
        ...

    def read_script(self, text: str) -> "SqlScript": ...

    def why_not_in_transaction(self, words: Sequence[str]) -> str: ...

    def quote_literal(self, text: str) -> str: ...

    def limit_statements(self, limits: TimeLimits, *, local: bool = True) -> Sequence[str]:
        """Return the statements that set timeouts for this transaction or session."""
        ...

    def classify_error(self, error: ScriptError) -> ErrorKind: ...

    def hint_for(self, error: ScriptError) -> str:
        """Suggest a fix that the database itself does not suggest."""
        ...

    def has_tracking_table(self, session: ScriptSession) -> bool: ...

    def read_rows(self, session: ScriptSession) -> Iterable[Row]:
        """Read version, name, checksum and finished, in order; none if there is no table."""
        ...

    def execute_durably(self, session: ScriptSession, statement: str) -> None:
        """Execute a statement; it and all earlier commits are on disk on return."""
        ...

    def list_columns(self, session: ScriptSession, table: str) -> Sequence[str]:
        """List the columns of another tool's table; none if there is no such table."""
        ...

    def hold_runner_lock(
        self, session: ScriptSession, *, wait_s: float
    ) -> AbstractContextManager[None]:
        """Lock out other runners, or raise BusyError naming the one that is running."""
        ...

    def describe_runner(self, session: ScriptSession) -> str:
        """Describe the other runner, as far as it is visible."""
        ...

    def watch_blockers(self, session: ScriptSession) -> AbstractContextManager[BlockerWatch]: ...

    def estimate_locks(
        self, session: ScriptSession, prepared: PreparedFile
    ) -> Sequence[TableLockEstimate]: ...

    def list_held_locks(self, session: ScriptSession) -> Sequence[TableLockEstimate]:
        """List the locks that this session's open transaction has taken."""
        ...

    def find_invalid_indexes(
        self, session: ScriptSession, prepared: PreparedFile
    ) -> tuple[str, ...]:
        """List the invalid indexes that an interrupted statement of this file may have left."""
        ...

    def drop_invalid_index(self, session: ScriptSession, left: str, *, limits: TimeLimits) -> None:
        """Drop one that `find_invalid_indexes` returned."""
        ...

    def read_schema(self, session: ScriptSession) -> Sequence[SchemaObject]:
        """List all objects except our own tables, in a stable order."""
        ...

    def shadow_database(self) -> AbstractContextManager[Scripts]:
        """Create an empty database of the same kind, and drop it afterwards."""
        ...


class NoBlockerWatch:
    """For databases without other sessions to wait for."""

    def start_file(self, *, lock_s: float) -> None:
        """Do nothing."""

    def blockers(self) -> Sequence[Blocker]:
        return ()


def read_packaged_sql(name: str) -> str:
    """Read an SQL file that is part of the opsctl package."""
    return (_SQL / name).read_text("utf-8")
