"""SQLite as a database that runs files: one connection, a statement at a time."""

import contextlib
import re
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path

from opsctl.errors import BusyError, OpsctlError, SettingsError
from opsctl.systems.clock import Clock
from opsctl.systems.sql_scripts import (
    NEEDS_ALONE,
    Row,
    ScriptBatch,
    ScriptError,
    ScriptStage,
    SqlValue,
)

_PARAMETER = re.compile(r"%\((\w+)\)s")
# How many steps of SQLite's machine pass between two looks at the clock: some milliseconds.
_STEPS = 50_000
# What SQLite says in words only.
_ALONE = re.compile(r"from within a transaction|cannot change into wal mode|safety level may")

# These are about the file, not about a statement.
BROKEN = {
    "SQLITE_NOTADB": "it is not an SQLite file",
    "SQLITE_CORRUPT": "its content is damaged",
    "SQLITE_CANTOPEN": "the file cannot be opened",
    "SQLITE_READONLY": "it may only be read",
    "SQLITE_FULL": "the disk is full",
    "SQLITE_IOERR": "the disk reported a read or write error",
}


class SqliteScripts:
    def __init__(self, path: Path, *, clock: Clock, busy_s: float) -> None:
        self._path = path
        self._clock = clock
        self._busy_s = busy_s

    @property
    def address(self) -> str:
        return str(self._path)

    def call_ahead(self, question: str) -> None:
        """Do nothing: a file needs no connection."""

    def hang_up(self) -> None:
        """Do nothing: a file needs no connection."""

    @contextlib.contextmanager
    def session(self) -> Iterator["SqliteScriptSession"]:
        try:
            opened = sqlite3.connect(self._path, timeout=self._busy_s, isolation_level=None)
        except sqlite3.Error as error:
            raise SettingsError(
                f"cannot use {self._path}", why=str(error), hint="Does its directory exist?"
            ) from error
        with contextlib.closing(opened) as connection:
            yield SqliteScriptSession(connection, self._clock, self.address)


class SqliteScriptSession:
    pid = 0
    is_pooled = False
    notices: Sequence[str] = ()

    def __init__(self, connection: sqlite3.Connection, clock: Clock, address: str) -> None:
        self._connection = connection
        self._clock = clock
        self._address = address

    def run(self, message: ScriptBatch) -> None:
        try:
            with self._limited(message.statement_s):
                self._run(message)
        finally:
            if message.begin and message.end:
                self.rollback()

    def _run(self, message: ScriptBatch) -> None:
        # Waiting for the file itself is waiting for another runner: the row is ours to write.
        self._execute(message.begin, ScriptStage.BEFORE)
        for part in message.before:
            self._execute(part, ScriptStage.BEFORE)
        edges = (*message.starts, len(message.text))
        for number, (start, end) in enumerate(pairwise(edges)):
            self._execute(message.text[start:end], ScriptStage.TEXT, position=start, number=number)
        self._execute(message.after, ScriptStage.AFTER)
        self._execute(message.end, ScriptStage.AFTER)

    def run_alone(
        self, text: str, *, before: Sequence[str] = (), statement_s: float | None = None
    ) -> None:
        for statement in before:
            self._execute(statement, ScriptStage.BEFORE)
        with self._limited(statement_s):
            self._execute(text, ScriptStage.TEXT, position=0, number=0)

    def query(self, statement: str, values: Mapping[str, SqlValue] | None = None) -> list[Row]:
        text = _PARAMETER.sub(r":\1", statement)
        return self._execute(text, ScriptStage.BEFORE, values=values)

    def rollback(self) -> None:
        if self._connection.in_transaction:
            self._execute("ROLLBACK", ScriptStage.AFTER)

    def _execute(
        self,
        statement: str,
        stage: ScriptStage,
        *,
        position: int | None = None,
        number: int | None = None,
        values: Mapping[str, SqlValue] | None = None,
    ) -> list[Row]:
        if not statement.strip():
            return []
        try:
            return self._connection.execute(statement, values or {}).fetchall()
        except (sqlite3.Error, sqlite3.Warning) as error:
            raise translate(
                error, self._address, stage=stage, position=position, statement=number
            ) from error

    @contextlib.contextmanager
    def _limited(self, limit_s: float | None) -> Iterator[None]:
        if limit_s:
            self._connection.set_progress_handler(self._watchdog(limit_s), _STEPS)
        try:
            yield
        finally:
            self._connection.set_progress_handler(None, 0)

    def _watchdog(self, limit_s: float) -> Callable[[], bool]:
        end = self._clock.steady() + limit_s
        return lambda: self._clock.steady() > end


def translate(
    error: sqlite3.Error | sqlite3.Warning,
    address: str,
    *,
    stage: ScriptStage,
    position: int | None,
    statement: int | None,
) -> OpsctlError:
    """Translate an error of SQLite."""
    name: str = getattr(error, "sqlite_errorname", "")
    primary = "_".join(name.split("_")[:2])
    if primary in BROKEN:
        return OpsctlError(f"cannot use {address}", why=f"{BROKEN[primary]} (SQLite: {error})")
    if primary in {"SQLITE_BUSY", "SQLITE_LOCKED"} and stage is not ScriptStage.BEFORE:
        return BusyError(f"cannot use {address}", why=f"another process holds it ({error})")
    code = NEEDS_ALONE if _ALONE.search(str(error).casefold()) else name
    return ScriptError(
        f"SQLite refused a statement at {address}",
        why=str(error),
        sqlstate=code,
        stage=stage,
        position=position,
        statement=statement,
    )
