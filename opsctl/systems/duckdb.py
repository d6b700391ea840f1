"""DuckDB as a database that runs files; one process at a time can open it."""

import contextlib
import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from opsctl.errors import BusyError, OpsctlError, SettingsError
from opsctl.systems.clock import Clock
from opsctl.systems.sql_scripts import Row, ScriptBatch, ScriptError, ScriptStage, SqlValue

try:
    import duckdb
except ModuleNotFoundError as missing:
    raise SettingsError(
        "DuckDB is not installed",
        why="it is an extra, and the settings name a duckdb:/// address",
        hint="In a checkout of opsctl: pip install '.[duckdb]'",
    ) from missing

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_PARAMETER = re.compile(r"%\((\w+)\)s")
_HOLDER = re.compile(
    r"Conflicting lock is held in (?P<program>.+?) \(PID (?P<pid>\d+)\)(?P<rest>.*)"
)
_POLL_S = 0.1

# What each of the driver's exceptions is about; found by the nearest ancestor.
CODES: dict[type[Exception], str] = {
    duckdb.ConstraintException: "constraint",
    duckdb.TransactionException: "transaction",
    duckdb.InterruptException: "interrupted",
    duckdb.ParserException: "parser",
    duckdb.CatalogException: "catalog",
    duckdb.BinderException: "binder",
    duckdb.IOException: "io",
    duckdb.Error: "duckdb",
}


class DuckdbScripts:
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
    def session(self) -> Iterator["DuckdbScriptSession"]:
        with contextlib.closing(self._open()) as connection:
            yield DuckdbScriptSession(connection, self.address)

    def _open(self) -> "DuckDBPyConnection":
        end = self._clock.steady() + self._busy_s
        while True:
            try:
                return duckdb.connect(str(self._path))
            except duckdb.Error as error:
                held = _HOLDER.search(str(error))
                if held is None or self._clock.steady() >= end:
                    self._unopened(error, held)
            self._clock.sleep(_POLL_S)

    def _unopened(self, error: duckdb.Error, held: re.Match[str] | None) -> NoReturn:
        if held:
            raise BusyError(
                f"cannot use {self._path}",
                why=f"pid {held['pid']} ({held['program']}) holds it",
                hint="DuckDB lets in one process at a time: try again when it is done.",
            ) from error
        why = str(error).partition("\n")[0]
        raise SettingsError(
            f"cannot use {self._path}", why=why, hint="Does its directory exist?"
        ) from error


class DuckdbScriptSession:
    pid = 0
    is_pooled = False
    notices: Sequence[str] = ()

    def __init__(self, connection: "DuckDBPyConnection", address: str) -> None:
        self._connection = connection
        self._address = address
        self._is_open = False

    def run(self, message: ScriptBatch) -> None:
        try:
            with self._limited(message.statement_s):
                self._run(message)
        finally:
            if message.begin and message.end:
                self.rollback()

    def _run(self, message: ScriptBatch) -> None:
        self._execute(message.begin, ScriptStage.BEFORE)
        self._is_open = True
        for part in message.before:
            self._execute(part, ScriptStage.BEFORE)
        edges = (*message.starts, len(message.text))
        for number, (start, end) in enumerate(pairwise(edges)):
            self._execute(message.text[start:end], ScriptStage.TEXT, position=start, number=number)
        self._execute(message.after, ScriptStage.AFTER)
        self._execute(message.end, ScriptStage.AFTER)
        self._is_open = not message.end

    def run_alone(
        self, text: str, *, before: Sequence[str] = (), statement_s: float | None = None
    ) -> None:
        for statement in before:
            self._execute(statement, ScriptStage.BEFORE)
        with self._limited(statement_s):
            self._execute(text, ScriptStage.TEXT, position=0, number=0)

    def query(self, statement: str, values: Mapping[str, SqlValue] | None = None) -> list[Row]:
        return self._execute(_PARAMETER.sub(r"$\1", statement), ScriptStage.BEFORE, values=values)

    def rollback(self) -> None:
        if self._is_open:
            self._is_open = False
            with contextlib.suppress(duckdb.TransactionException):
                self._connection.execute("ROLLBACK")

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
            return self._connection.execute(statement, values or None).fetchall()
        except duckdb.Error as error:
            raise translate(
                error, self._address, stage=stage, position=position, statement=number
            ) from error

    @contextlib.contextmanager
    def _limited(self, limit_s: float | None) -> Iterator[None]:
        if not limit_s:
            yield
            return
        timer = threading.Timer(limit_s, self._connection.interrupt)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()


def translate(
    error: duckdb.Error,
    address: str,
    *,
    stage: ScriptStage,
    position: int | None,
    statement: int | None,
) -> OpsctlError:
    """Translate an error of DuckDB."""
    code = next((CODES[kind] for kind in type(error).__mro__ if kind in CODES), "duckdb")
    return ScriptError(
        f"DuckDB refused a statement at {address}",
        why=str(error).strip().partition("\n")[0],
        sqlstate=code,
        stage=stage,
        position=position,
        statement=statement,
    )
