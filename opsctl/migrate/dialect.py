"""What one kind of database does in its own way."""

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
    """What an answer means for a run."""

    DUPLICATE = auto()
    """A row with this number is there already."""
    RETRYABLE = auto()
    """Someone else holds what it needs; nothing happened, and it may be tried again."""
    NOT_IN_TRANSACTION = auto()
    TIMED_OUT = auto()
    OTHER = auto()


class Blocker(Value):
    """Someone who holds what we wait for."""

    pid: int
    who: str
    query: str
    age_s: float

    def __str__(self) -> str:
        age = f"for {self.age_s:.0f} s" if self.age_s >= 1 else "now"
        return f"pid {self.pid} ({self.who}, {age}): {self.query or 'no query'}"


class TableLockEstimate(Value):
    """A table that a statement needs, as it is before the run."""

    table: str
    lock: str
    rows: int | None = None
    size_bytes: int | None = None


class SchemaObject(Value):
    """One thing of a schema, and all there is to say of it."""

    kind: str
    name: str
    definition: str


class BlockerWatch(Protocol):
    """Looks out for those who block us, from a connection of its own."""

    def start_file(self, *, lock_s: float) -> None:
        """From now on a file runs."""
        ...

    def blockers(self) -> Sequence[Blocker]:
        """Say who blocked the file that ran last."""
        ...


class Dialect(Protocol):
    name: str
    table: str
    """The tracking table, as SQL names it."""
    begin: str
    who: str
    """Who applies, where the database has no users of its own to say so."""
    accepts_copy_data: bool
    async_commit: tuple[str, ...]
    """Statements that let the next file begin before this one's commit is on the disk."""
    row_query: str
    """What `rows` asks first, where it may be asked while something else is done."""
    shadow_hint: str
    """What to try where no empty database can be made to compare with."""
    scripts: Scripts

    def tracking_ddl(self) -> str:
        """Give the statements that make the tracking table."""
        ...

    def read_script(self, text: str) -> "SqlScript": ...

    def why_not_in_transaction(self, words: Sequence[str]) -> str: ...

    def quote_literal(self, text: str) -> str: ...

    def limit_statements(self, limits: TimeLimits, *, local: bool = True) -> Sequence[str]:
        """Give the statements that bound what follows, in this transaction or session."""
        ...

    def classify_error(self, error: ScriptError) -> ErrorKind: ...

    def hint_for(self, error: ScriptError) -> str:
        """Say a way out that the database itself does not say."""
        ...

    def has_tracking_table(self, session: ScriptSession) -> bool: ...

    def read_rows(self, session: ScriptSession) -> Iterable[Row]:
        """List version, name, checksum and finished, in order; none where there is no table."""
        ...

    def execute_durably(self, session: ScriptSession, statement: str) -> None:
        """Write how it went; that and all that came before is on the disk on return."""
        ...

    def list_columns(self, session: ScriptSession, table: str) -> Sequence[str]:
        """Name the columns of another tool's table; none where there is no such table."""
        ...

    def hold_runner_lock(
        self, session: ScriptSession, *, wait_s: float
    ) -> AbstractContextManager[None]:
        """Keep other runners out, or raise BusyError saying who was there first."""
        ...

    def describe_runner(self, session: ScriptSession) -> str:
        """Say who else is migrating, as far as it can be seen."""
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
        """Name the invalid indexes that an interrupted statement of this file may have left."""
        ...

    def drop_invalid_index(self, session: ScriptSession, left: str, *, limits: TimeLimits) -> None:
        """Remove what `left_by` named."""
        ...

    def read_schema(self, session: ScriptSession) -> Sequence[SchemaObject]:
        """List everything but our own tables, in an order that stays."""
        ...

    def shadow_database(self) -> AbstractContextManager[Scripts]:
        """Make an empty database of the same kind, and remove it afterwards."""
        ...


class NoBlockerWatch:
    """For databases that have no one else to wait for."""

    def start_file(self, *, lock_s: float) -> None:
        """Nothing to look at."""

    def blockers(self) -> Sequence[Blocker]:
        return ()


def read_packaged_sql(name: str) -> str:
    """Read SQL that comes with opsctl: none of it stands in Python."""
    return (_SQL / name).read_text("utf-8")
