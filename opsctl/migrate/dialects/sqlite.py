"""SQLite: one file."""

from collections.abc import Sequence
from pathlib import Path

from opsctl.migrate.dialect import ErrorKind, SchemaObject, read_packaged_sql
from opsctl.migrate.dialects.embedded import Connect, EmbeddedDialect
from opsctl.migrate.dialects.sqlite_reader import read_sqlite_script
from opsctl.sql.lexer import SqlScript
from opsctl.systems.sql_scripts import NEEDS_ALONE, ScriptError, ScriptSession

KINDS = {
    "SQLITE_CONSTRAINT_PRIMARYKEY": ErrorKind.DUPLICATE,
    "SQLITE_CONSTRAINT_ROWID": ErrorKind.DUPLICATE,
    "SQLITE_CONSTRAINT_UNIQUE": ErrorKind.DUPLICATE,
    "SQLITE_BUSY": ErrorKind.RETRYABLE,
    "SQLITE_LOCKED": ErrorKind.RETRYABLE,
    "SQLITE_INTERRUPT": ErrorKind.TIMED_OUT,
    NEEDS_ALONE: ErrorKind.NOT_IN_TRANSACTION,
}
_ALONE = {("VACUUM",): "VACUUM", ("PRAGMA", "JOURNAL_MODE"): "PRAGMA journal_mode"}
_SILENT = ("PRAGMA", "FOREIGN_KEYS")


class SqliteDialect(EmbeddedDialect):
    name = "sqlite"
    begin = "BEGIN IMMEDIATE"

    def __init__(self, path: Path, connect: Connect, *, who: str) -> None:
        self._connect = connect
        self.who = who
        self.scripts = connect(path)

    def tracking_ddl(self) -> str:
        return read_packaged_sql("tracking.sqlite.sql")

    def read_script(self, text: str) -> SqlScript:
        return read_sqlite_script(text)

    def why_not_in_transaction(self, words: Sequence[str]) -> str:
        if tuple(words[:2]) == _SILENT:
            return "SQLite silently ignores PRAGMA foreign_keys inside a transaction"
        for start, shown in _ALONE.items():
            if tuple(words[: len(start)]) == start:
                return f"SQLite runs {shown} only outside a transaction"
        return ""

    def classify_error(self, error: ScriptError) -> ErrorKind:
        return KINDS.get(error.sqlstate, ErrorKind.OTHER)

    def hint_for(self, error: ScriptError) -> str:  # noqa: ARG002 - SQLite's own messages suffice
        return ""

    def has_tracking_table(self, session: ScriptSession) -> bool:
        query = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = %(name)s"
        return bool(session.query(query, {"name": self.table}))

    def list_columns(self, session: ScriptSession, table: str) -> Sequence[str]:
        query = "SELECT name FROM pragma_table_info(%(table)s)"
        return [str(name) for (name,) in session.query(query, {"table": table})]

    def read_schema(self, session: ScriptSession) -> Sequence[SchemaObject]:
        return self._named(session, read_packaged_sql("schema.sqlite.sql"))
