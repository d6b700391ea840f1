"""PostgreSQL: sessions that answer within a deadline, and can be opened so that nothing is written.

What `read_only=True` covers: every statement runs alone in a transaction of its own that is opened
READ ONLY, or in a savepoint of one, from which PostgreSQL lets no one back to READ WRITE. So `SET
default_transaction_read_only=off`, `BEGIN READ WRITE`, `COMMIT; DROP ...` and the like by a caller
of ours change nothing. What it does not cover, because PostgreSQL calls it reading: COPY TO a
file or program, signals to other sessions, a reload of the server's settings, advisory locks,
NOTIFY, and connections that a function opens (dblink). Only a role without these rights stops
those.
"""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString, Protocol

import psycopg
from psycopg import conninfo, errors, generators, pq, sql, waiting
from psycopg.abc import PQGen, QueryNoTemplate

from opsctl.errors import OpsctlError, UnreachableError
from opsctl.systems.clock import Clock
from opsctl.systems.deadline import Deadline, within
from opsctl.systems.postgres.address import KEEPALIVE, check_parameters, format_address
from opsctl.systems.postgres.errors import translate, translate_connecting

Row = tuple[Any, ...]
Parameters = Sequence[object] | Mapping[str, object]
Name = str | tuple[str, ...]
"""A table, or a schema and a table; always quoted, never pasted."""

_WAKE_S = 0.1
_FACTS: LiteralString = """
    SELECT current_setting('server_version'), current_setting('server_version_num')::int,
           clock_timestamp(), pg_is_in_recovery(), current_database(), current_user
"""
_EXTENSIONS: LiteralString = "SELECT extname, extversion FROM pg_extension ORDER BY extname"


@dataclass(frozen=True, slots=True)
class PostgresLimits:
    """Every wait for PostgreSQL, in seconds."""

    connect_s: float = 5.0
    """All of it: name, every address, TLS, password."""
    statement_s: float = 30.0
    lock_s: float = 5.0
    answer_s: float = 1.0
    """How long after `statement_s` the server has to confirm that it stopped, before we close."""


@dataclass(frozen=True, slots=True)
class PostgresFacts:
    version: str
    version_number: int
    """150004 is 15.4."""
    now: datetime
    in_recovery: bool
    """A standby, or still replaying its log: it accepts no writes."""
    database: str
    user: str
    extensions: Mapping[str, str]


class PostgresSession(Protocol):
    def query(
        self,
        statement: LiteralString,
        parameters: Parameters | None = None,
        *,
        names: Mapping[str, Name] | None = None,
    ) -> list[Row]:
        """Run one statement; `%s` stands for parameters, `{word}` for a quoted name of `names`."""
        ...

    def execute(
        self,
        statement: LiteralString,
        parameters: Parameters | None = None,
        *,
        names: Mapping[str, Name] | None = None,
    ) -> int:
        """Run one statement like `query`; count the rows it touched."""
        ...

    def transaction(self) -> AbstractContextManager[None]:
        """Keep what is inside together; alone, every statement is its own transaction."""
        ...

    def facts(self) -> PostgresFacts: ...


class Postgres(Protocol):
    @property
    def address(self) -> str:
        """Host:port/database, never the password."""
        ...

    def session(self, *, read_only: bool = False) -> AbstractContextManager[PostgresSession]: ...


class PsycopgPostgres:
    """One database behind one URL or DSN; each session is a connection of its own."""

    def __init__(
        self,
        dsn: str,
        *,
        clock: Clock,
        limits: PostgresLimits | None = None,
        read_only: bool = False,
    ) -> None:
        self._read_only = read_only
        self._parameters = _parse(dsn)
        self._clock = clock
        self._limits = limits or PostgresLimits()

    def __repr__(self) -> str:
        return f"PsycopgPostgres({self.address!r})"

    @property
    def address(self) -> str:
        return format_address(self._parameters)

    @contextlib.contextmanager
    def session(self, *, read_only: bool = False) -> Iterator[PostgresSession]:
        read_only = read_only or self._read_only
        connection = self._connect(read_only=read_only)
        try:
            yield PsycopgSession(connection, address=self.address, read_only=read_only)
        finally:
            connection.close()

    def _connect(self, *, read_only: bool) -> "_BoundedConnection":
        deadline = Deadline.after(self._clock, self._limits.connect_s)
        parameters = startup(self._parameters, self._limits, read_only=read_only)
        try:
            connection = _first_to_answer(parameters, deadline)
        except (psycopg.Error, TimeoutError) as error:
            raise self._unconnected(error, deadline) from error
        connection.limit_s = self._limits.statement_s + self._limits.answer_s
        connection.read_only = read_only or None
        return connection

    def _unconnected(self, error: psycopg.Error | TimeoutError, deadline: Deadline) -> OpsctlError:
        if isinstance(error, psycopg.Error) and not deadline.passed():
            return translate_connecting(error, self.address)
        return UnreachableError(
            f"cannot connect to PostgreSQL at {self.address}",
            why=f"no answer within {deadline.limit_s:g} s",
            hint="Is it running, and does a firewall block the port?",
        )


class PsycopgSession:
    def __init__(self, connection: "_BoundedConnection", *, address: str, read_only: bool) -> None:
        self._connection = connection
        self._address = address
        self._read_only = read_only

    def query(
        self,
        statement: LiteralString,
        parameters: Parameters | None = None,
        *,
        names: Mapping[str, Name] | None = None,
    ) -> list[Row]:
        with self._translated():
            cursor = self._run(_compose(statement, names), parameters)
            return cursor.fetchall() if cursor.description else []

    def execute(
        self,
        statement: LiteralString,
        parameters: Parameters | None = None,
        *,
        names: Mapping[str, Name] | None = None,
    ) -> int:
        with self._translated():
            return max(0, self._run(_compose(statement, names), parameters).rowcount)

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        with self._translated(), self._connection.transaction():
            yield

    def facts(self) -> PostgresFacts:
        facts, extensions = self.query(_FACTS)[0], self.query(_EXTENSIONS)
        version, number, now, in_recovery, database, user = facts
        return PostgresFacts(
            version=version,
            version_number=number,
            now=now,
            in_recovery=in_recovery,
            database=database,
            user=user,
            extensions=dict(extensions),
        )

    def _run(
        self, statement: QueryNoTemplate, parameters: Parameters | None
    ) -> psycopg.Cursor[Row]:
        if not self._read_only:
            return self._connection.execute(statement, parameters)
        # A pipeline takes one statement at a time: nothing hides behind a semicolon.
        with self._connection.pipeline(), self._connection.transaction():
            return self._connection.execute(statement, parameters)

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except psycopg.Error as error:
            raise translate(error, self._address) from error


class _BoundedConnection(psycopg.Connection[Row]):
    """A connection that is closed when the server does not answer."""

    limit_s: float = 5.0

    def wait(self, gen: PQGen[Any], interval: float = _WAKE_S, timeout: float | None = None) -> Any:  # noqa: ANN401  # as the driver declares it
        try:
            return super().wait(gen, interval, timeout or self.limit_s)
        except psycopg.OperationalError:
            if self.pgconn.transaction_status != pq.TransactionStatus.ACTIVE:
                raise
            self.close()
            why = f"no answer within {timeout or self.limit_s:g} s"
            raise errors.ConnectionTimeout(why) from None


def _first_to_answer(parameters: Mapping[str, str], deadline: Deadline) -> _BoundedConnection:
    """Try each address of each host; the driver looks names up without a deadline of its own."""
    attempts = within(deadline, lambda: conninfo.conninfo_attempts(dict(parameters)))
    for index, attempt in enumerate(attempts[:-1]):
        share_s = deadline.left_s() / (len(attempts) - index)
        with contextlib.suppress(psycopg.OperationalError):
            return _open(attempt, limit_s=share_s)
    return _open(attempts[-1], limit_s=deadline.left_s())


def _open(attempt: Mapping[str, Any], *, limit_s: float) -> _BoundedConnection:
    """Connect to one address; the driver's own `connect` waits 2 s at least, 130 s by default."""
    opening = generators.connect(conninfo.make_conninfo("", **attempt))
    connection = _BoundedConnection(waiting.wait_conn(opening, _WAKE_S, limit_s))
    connection.autocommit = True
    # Prepared statements do not survive a pooler between us and the server.
    connection.prepare_threshold = None
    return connection


def startup(
    parameters: Mapping[str, str], limits: PostgresLimits, *, read_only: bool
) -> dict[str, str]:
    """Add our limits to the options of the address; ours win."""
    options = [
        parameters.get("options", ""),
        f"-c statement_timeout={round(limits.statement_s * 1000)}",
        f"-c lock_timeout={round(limits.lock_s * 1000)}",
    ]
    if read_only:
        options.append("-c default_transaction_read_only=on")
    # Asking for Kerberos tickets has no deadline that we could set.
    return {"gssencmode": "disable"} | dict(parameters) | KEEPALIVE | {
        "options": " ".join(options).strip(),
        "tcp_user_timeout": str(round((limits.statement_s + limits.answer_s) * 1000)),
    }  # fmt: skip


def _parse(dsn: str) -> dict[str, str]:
    """Read a URL or DSN; an invalid one is not shown, it may contain the password."""
    try:
        parameters = {key: str(value) for key, value in conninfo.conninfo_to_dict(dsn).items()}
    except psycopg.ProgrammingError:
        parameters = {}
    return check_parameters(parameters)


def _compose(statement: LiteralString, names: Mapping[str, Name] | None) -> QueryNoTemplate:
    if names is None:
        return statement
    return sql.SQL(statement).format(**{key: _identifier(name) for key, name in names.items()})


def _identifier(name: Name) -> sql.Identifier:
    return sql.Identifier(name) if isinstance(name, str) else sql.Identifier(*name)
