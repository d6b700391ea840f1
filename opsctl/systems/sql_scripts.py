"""A file of SQL as one piece of work: what a database is asked to run, and what it says of it."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from enum import StrEnum
from typing import Any, Protocol

from opsctl.errors import OpsctlError
from opsctl.value import Value

Row = tuple[Any, ...]
SqlValue = str | int | bool | None

NEEDS_ALONE = "needs_alone"
"""The code of an embedded database's answer that a statement cannot run in a transaction."""


class ScriptStage(StrEnum):
    """Which part of a message an answer is about."""

    BEFORE = "before"
    TEXT = "text"
    AFTER = "after"


class ScriptBatch(Value):
    """One file between what opens and what ends its transaction, sent as a whole."""

    text: str
    copies: tuple[tuple[int, int, int], ...] = ()
    """Data of COPY in `text`: where it starts, ends, and goes on behind its last line."""
    begin: str = "BEGIN"
    """Empty: the transaction is open already."""
    before: tuple[str, ...] = ()
    """Statements of our own ahead of the text; what stands in them is quoted."""
    after: str = ""
    end: str = "COMMIT"
    """COMMIT, ROLLBACK, or empty: it stays open."""
    statement_s: float | None = None
    """The longest run of one statement, as `before` tells the server; None: no limit."""
    starts: tuple[int, ...] = ()
    """Where each statement of the text starts, for databases that count no results."""


class ScriptError(OpsctlError):
    """The database is well, and answered that this cannot be done."""

    code = "statement"

    def __init__(  # noqa: PLR0913 - all that a database may say
        self,
        what: str,
        *,
        why: str,
        hint: str = "",
        sqlstate: str = "",
        stage: ScriptStage = ScriptStage.TEXT,
        position: int | None = None,
        statement: int | None = None,
        context: str = "",
        constraint: str = "",
    ) -> None:
        super().__init__(what, why=why, hint=hint)
        self.sqlstate = sqlstate
        self.stage = stage
        self.position = position
        """Characters from 0 over the text of the stage; None where the database does not say."""
        self.statement = statement
        """Which statement of the text, from 0; empty ones do not count."""
        self.context = context
        self.constraint = constraint


class ScriptSession(Protocol):
    @property
    def pid(self) -> int:
        """Say who we are to the server: its own process id for us, 0 where there is none."""
        ...

    @property
    def is_pooled(self) -> bool:
        """Say whether a pooler stands between, so that only a transaction stays on one server."""
        ...

    @property
    def notices(self) -> Sequence[str]:
        """What the database said on its own account since the last message."""
        ...

    def run(self, message: ScriptBatch) -> None: ...

    def run_alone(
        self, text: str, *, before: Sequence[str] = (), statement_s: float | None = None
    ) -> None:
        """Run one statement without a transaction; each of `before` is a message of its own."""
        ...

    def query(self, statement: str, values: Mapping[str, SqlValue] | None = None) -> list[Row]:
        """Run one statement on its own; `%(name)s` takes a value."""
        ...

    def rollback(self) -> None:
        """End a transaction that was left open."""
        ...


class Scripts(Protocol):
    """A database that runs files of SQL."""

    @property
    def address(self) -> str:
        """Say where it is; never the password."""
        ...

    def session(self) -> AbstractContextManager[ScriptSession]: ...

    def call_ahead(self, question: str) -> None:
        """Begin to connect, and to ask; the next session takes it, and asks this first."""
        ...

    def hang_up(self) -> None:
        """Let go of what was begun, where no session takes it."""
        ...


class ServerScripts(Scripts, Protocol):
    """A database on a server that has others."""

    def beside(self, database: str) -> Scripts:
        """Mean another database of the same server, with the same login."""
        ...
