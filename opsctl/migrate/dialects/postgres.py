"""PostgreSQL and TimescaleDB: many sessions, table locks, and perhaps a pooler."""

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from opsctl.errors import BusyError, OpsctlError
from opsctl.migrate.dialect import (
    BlockerWatch,
    ErrorKind,
    SchemaObject,
    TableLockEstimate,
    read_packaged_sql,
)
from opsctl.migrate.model import TimeLimits
from opsctl.migrate.run_model import NO_TRANSACTION_HINT, PreparedFile
from opsctl.systems.clock import Clock
from opsctl.systems.postgres import sqlstates
from opsctl.systems.sql_scripts import (
    Row,
    ScriptBatch,
    ScriptError,
    Scripts,
    ScriptSession,
    ServerScripts,
)

if TYPE_CHECKING:
    from opsctl.sql.lexer import SqlScript

# "opsctl" in ASCII.
ADVISORY_KEY = 122528762917996
_POLL_S = 0.1

_KINDS = {
    sqlstates.UNIQUE_VIOLATION: ErrorKind.DUPLICATE,
    sqlstates.DUPLICATE_SCHEMA: ErrorKind.DUPLICATE,
    sqlstates.DUPLICATE_TABLE: ErrorKind.DUPLICATE,
    sqlstates.ACTIVE_TRANSACTION: ErrorKind.NOT_IN_TRANSACTION,
    sqlstates.QUERY_CANCELED: ErrorKind.TIMED_OUT,
    **dict.fromkeys(sqlstates.RETRYABLE, ErrorKind.RETRYABLE),
}
_UNTRACKED = frozenset({sqlstates.UNDEFINED_TABLE, sqlstates.UNDEFINED_SCHEMA})
_HINTS = {
    sqlstates.ACTIVE_TRANSACTION: NO_TRANSACTION_HINT,
    "42501": "GRANT the missing privilege, or migrate as the role that owns the object.",
    sqlstates.DUPLICATE_TABLE: (
        "If it was created by hand, record it as applied: opsctl migrate adopt --to V"
    ),
    "55P04": "Put ALTER TYPE ... ADD VALUE into a file of its own, before the one that uses it.",
    sqlstates.QUERY_CANCELED: (
        "Give this file more time: `-- opsctl: statement_timeout=30min` on its first line."
    ),
}


class PostgresDialect:
    name = "postgresql"
    table = "opsctl.opsctl_migrations"
    begin = "BEGIN"
    who = ""
    accepts_copy_data = True
    async_commit: tuple[str, ...] = ("SET LOCAL synchronous_commit = off",)
    shadow_hint = "The role needs CREATEDB, or set migrations.shadow_url to an empty database."

    def __init__(
        self, scripts: ServerScripts, *, clock: Clock, shadow: Scripts | None = None
    ) -> None:
        self._clock = clock
        self._server = scripts
        self._shadow = shadow
        self.row_query = read_packaged_sql("tracking_rows.postgres.sql")
        self.scripts: Scripts = scripts

    def tracking_ddl(self) -> str:
        return read_packaged_sql("tracking.postgres.sql")

    def read_script(self, text: str) -> "SqlScript":
        from opsctl.sql.lexer import read_script  # noqa: PLC0415 - only for what runs

        return read_script(text)

    def why_not_in_transaction(self, words: Sequence[str]) -> str:
        from opsctl.sql.outside_transaction import (  # noqa: PLC0415 - only for what runs
            why_not_in_transaction,
        )

        return why_not_in_transaction(words)

    def quote_literal(self, text: str) -> str:
        escaped = text.replace("'", "''")
        if "\\" in escaped:
            # Whatever standard_conforming_strings says.
            doubled = escaped.replace("\\", "\\\\")
            return f"E'{doubled}'"
        return f"'{escaped}'"

    def limit_statements(self, limits: TimeLimits, *, local: bool = True) -> Sequence[str]:
        word = "SET LOCAL" if local else "SET"
        return (
            f"{word} lock_timeout = {round(limits.lock_s * 1000):d}",
            f"{word} statement_timeout = {round(limits.statement_s * 1000):d}",
        )

    def classify_error(self, error: ScriptError) -> ErrorKind:
        return _KINDS.get(error.sqlstate, ErrorKind.OTHER)

    def hint_for(self, error: ScriptError) -> str:
        return error.hint or _HINTS.get(error.sqlstate, "")

    def has_tracking_table(self, session: ScriptSession) -> bool:
        ((exists,),) = session.query("SELECT to_regclass('opsctl.opsctl_migrations') IS NOT NULL")
        return bool(exists)

    def read_rows(self, session: ScriptSession) -> Iterable[Row]:
        """Fetch all rows as one JSON value: reading thousands of cells one by one is slower."""
        import json  # noqa: PLC0415 - same

        try:
            ((text,),) = session.query(self.row_query)
        except ScriptError as error:
            if error.sqlstate in _UNTRACKED:
                return ()
            raise
        rows: list[Row] = json.loads(text or "[]")
        return rows

    def execute_durably(self, session: ScriptSession, statement: str) -> None:
        session.run(ScriptBatch(statement))

    def list_columns(self, session: ScriptSession, table: str) -> Sequence[str]:
        query = (
            "SELECT attname::text FROM pg_attribute WHERE attrelid = to_regclass(%(table)s)"
            " AND attnum > 0 AND NOT attisdropped"
        )
        return [str(name) for (name,) in session.query(query, {"table": table})]

    @contextmanager
    def hold_runner_lock(self, session: ScriptSession, *, wait_s: float) -> Iterator[None]:
        """Poll an advisory lock; behind a pooler it would leak, so only the rows protect there."""
        if session.is_pooled:
            yield
            return
        end = self._clock.steady() + wait_s
        while not _asked(session, "SELECT pg_try_advisory_lock(%(key)s)"):
            if self._clock.steady() >= end:
                raise BusyError(
                    f"cannot migrate {self.scripts.address}",
                    why=f"{self.describe_runner(session)} is migrating it; waited {wait_s:g} s",
                    hint="Wait longer with --lock-timeout 10m, or try again later.",
                )
            self._clock.sleep(_POLL_S)
        try:
            yield
        finally:
            # A lost connection has released it already.
            with suppress(OpsctlError):
                _asked(session, "SELECT pg_advisory_unlock(%(key)s)")

    def describe_runner(self, session: ScriptSession) -> str:
        rows = session.query(read_packaged_sql("runner_lock.postgres.sql"), {"key": ADVISORY_KEY})
        return str(rows[0][0]) if rows else "another runner"

    @contextmanager
    def watch_blockers(self, session: ScriptSession) -> Iterator[BlockerWatch]:
        from opsctl.migrate.dialects.postgres_blockers import (  # noqa: PLC0415 - same
            PostgresBlockerWatch,
        )

        watch = PostgresBlockerWatch(self.scripts, pid=session.pid, clock=self._clock)
        try:
            yield watch
        finally:
            watch.close()

    def estimate_locks(
        self, session: ScriptSession, prepared: PreparedFile
    ) -> Sequence[TableLockEstimate]:
        from opsctl.sql.locks import find_locks  # noqa: PLC0415 - same

        estimates: dict[tuple[str, str], TableLockEstimate] = {}
        query = read_packaged_sql("table_size.postgres.sql")
        for statement in prepared.script.statements:
            for lock in find_locks(prepared.text[statement.start.offset : statement.end]):
                for name, rows, size in session.query(query, {"name": lock.table}):
                    estimates[name, lock.mode] = TableLockEstimate(name, lock.mode, rows, size)
        return tuple(estimates.values())

    def list_held_locks(self, session: ScriptSession) -> Sequence[TableLockEstimate]:
        rows = session.query(read_packaged_sql("held_locks.postgres.sql"))
        return [
            TableLockEstimate(t, mode.removesuffix(" Lock").upper(), n, size)
            for t, mode, n, size in rows
        ]

    def find_invalid_indexes(
        self, session: ScriptSession, prepared: PreparedFile
    ) -> tuple[str, ...]:
        from opsctl.migrate.parse.invalid_indexes import (  # noqa: PLC0415 - same
            InvalidIndex,
            match_invalid_indexes,
        )

        (statement,) = prepared.script.statements
        text = prepared.text[statement.start.offset : statement.end]
        rows = session.query(read_packaged_sql("invalid_indexes.postgres.sql"))
        return match_invalid_indexes(text, [InvalidIndex(*map(str, row)) for row in rows])

    def drop_invalid_index(self, session: ScriptSession, left: str, *, limits: TimeLimits) -> None:
        # The name comes from format('%I'): it is quoted by the server itself.
        statement = read_packaged_sql("drop_index.postgres.sql").format(index=left)
        session.run_alone(statement, before=self.limit_statements(limits, local=False))

    def read_schema(self, session: ScriptSession) -> Sequence[SchemaObject]:
        rows = session.query(read_packaged_sql("schema.postgres.sql"))
        view = "SELECT to_regclass('timescaledb_information.hypertables') IS NOT NULL"
        if session.query(view)[0][0]:
            rows += session.query(read_packaged_sql("hypertables.postgres.sql"))
        return [SchemaObject(kind, name, definition) for kind, name, definition in rows]

    @contextmanager
    def shadow_database(self) -> Iterator[Scripts]:
        if self._shadow is not None:
            yield self._shadow
            return
        name = f"opsctl_shadow_{os.urandom(6).hex()}"
        with self.scripts.session() as session:
            session.run_alone(read_packaged_sql("shadow_create.postgres.sql").format(database=name))
            try:
                yield self._server.beside(name)
            finally:
                session.run_alone(
                    read_packaged_sql("shadow_drop.postgres.sql").format(database=name)
                )


def _asked(session: ScriptSession, statement: str) -> bool:
    return bool(session.query(statement, {"key": ADVISORY_KEY})[0][0])
