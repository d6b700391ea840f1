"""DuckDB: one file, opened by one process at a time."""

from collections.abc import Sequence
from pathlib import Path

from opsctl.migrate.dialect import ErrorKind, SchemaObject, read_packaged_sql
from opsctl.migrate.dialects.embedded import Connect, EmbeddedDialect
from opsctl.sql.lexer import SqlScript, read_script
from opsctl.systems.sql_scripts import ScriptError, ScriptSession

KINDS = {
    "constraint": ErrorKind.DUPLICATE,
    "transaction": ErrorKind.NOT_IN_TRANSACTION,
    "interrupted": ErrorKind.TIMED_OUT,
}
_ALONE = {"CHECKPOINT": "CHECKPOINT", "VACUUM": "VACUUM"}


class DuckdbDialect(EmbeddedDialect):
    name = "duckdb"
    begin = "BEGIN TRANSACTION"

    def __init__(self, path: Path, connect: Connect, *, who: str) -> None:
        self._connect = connect
        self.who = who
        self.scripts = connect(path)

    def tracking_ddl(self) -> str:
        return read_packaged_sql("tracking.duckdb.sql")

    def read_script(self, text: str) -> SqlScript:
        return read_script(text)

    def why_not_in_transaction(self, words: Sequence[str]) -> str:
        word = _ALONE.get(words[0] if words else "")
        return f"DuckDB runs {word} only outside a transaction" if word else ""

    def classify_error(self, error: ScriptError) -> ErrorKind:
        return KINDS.get(error.sqlstate, ErrorKind.OTHER)

    def hint_for(self, error: ScriptError) -> str:  # noqa: ARG002 - DuckDB's own messages suffice
        return ""

    def has_tracking_table(self, session: ScriptSession) -> bool:
        query = "SELECT 1 FROM duckdb_tables() WHERE table_name = %(name)s"
        return bool(session.query(query, {"name": self.table}))

    def list_columns(self, session: ScriptSession, table: str) -> Sequence[str]:
        query = "SELECT column_name FROM duckdb_columns() WHERE table_name = %(table)s"
        return [str(name) for (name,) in session.query(query, {"table": table})]

    def read_schema(self, session: ScriptSession) -> Sequence[SchemaObject]:
        return self._named(session, read_packaged_sql("schema.duckdb.sql"))
