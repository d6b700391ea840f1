"""Files of SQL that a database runs as one batch, and the errors that it reports."""

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
    """Which part of a batch an answer is about."""

    BEFORE = "before"
    TEXT = "text"
    AFTER = "after"


class ScriptBatch(Value):
    """One file, with the statements that open and end its transaction, sent as a whole."""

    text: str
    copies: tuple[tuple[int, int, int], ...] = ()
    """Data of COPY in `text`: its start, its end, and where the text goes on after it."""
    begin: str = "BEGIN"
    """Empty: the transaction is open already."""
    before: tuple[str, ...] = ()
    """Our own statements ahead of the text; their values are quoted."""
    after: str = ""
    end: str = "COMMIT"
    """COMMIT, ROLLBACK, or empty: the transaction stays open."""
    statement_s: float | None = None
    """The longest run of one statement, as `before` tells the server; None: no limit."""
    starts: tuple[int, ...] = ()
    """Where each statement of the text starts, for databases that count no results."""


class ScriptError(OpsctlError):
    """The database is healthy, and refused the statement."""

    code = "statement"

    def __init__(  # noqa: PLR0913 - all that a database may report
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
        """The process id that the server has for this session; 0 if there is none."""
        ...

    @property
    def is_pooled(self) -> bool:
        """Whether a pooler is in between, so that only a transaction stays on one server."""
        ...

    @property
    def notices(self) -> Sequence[str]:
        """Notices of the database since the last batch."""
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
        """Its address, without the password."""
        ...

    def session(self) -> AbstractContextManager[ScriptSession]: ...

    def call_ahead(self, question: str) -> None:
        """Begin to connect and send a query; the next session uses both."""
        ...

    def hang_up(self) -> None:
        """Release a connection that was begun and that no session used."""
        ...


class ServerScripts(Scripts, Protocol):
    """A database on a server that has other databases."""

    def beside(self, database: str) -> Scripts:
        """Return another database of the same server, with the same login."""
        ...
