"""DuckDB: a file of columns, held by one process at a time."""

from collections.abc import Sequence
from pathlib import Path

from opsctl.migrate.dialect import Kind, Named, packaged
from opsctl.migrate.dialects.embedded import Connect, Embedded
from opsctl.sql.lexer import Script, read_script
from opsctl.systems.sql_scripts import ScriptError, ScriptSession

KINDS = {
    "constraint": Kind.DUPLICATE,
    "transaction": Kind.NEEDS_ALONE,
    "interrupted": Kind.TIMED_OUT,
}
_ALONE = {"CHECKPOINT": "CHECKPOINT", "VACUUM": "VACUUM"}


class DuckdbDialect(Embedded):
    name = "duckdb"
    begin = "BEGIN TRANSACTION"

    def __init__(self, path: Path, connect: Connect, *, who: str) -> None:
        self._connect = connect
        self.who = who
        self.scripts = connect(path)

    def tracking(self) -> str:
        return packaged("tracking.duckdb.sql")

    def read(self, text: str) -> Script:
        return read_script(text)

    def why_alone(self, words: Sequence[str]) -> str:
        word = _ALONE.get(words[0] if words else "")
        return f"DuckDB runs {word} outside of a transaction only" if word else ""

    def kind(self, error: ScriptError) -> Kind:
        return KINDS.get(error.sqlstate, Kind.OTHER)

    def hint(self, error: ScriptError) -> str:  # noqa: ARG002 - DuckDB's own words say it
        return ""

    def is_tracked(self, session: ScriptSession) -> bool:
        query = "SELECT 1 FROM duckdb_tables() WHERE table_name = %(name)s"
        return bool(session.query(query, {"name": self.table}))

    def columns(self, session: ScriptSession, table: str) -> Sequence[str]:
        query = "SELECT column_name FROM duckdb_columns() WHERE table_name = %(table)s"
        return [str(name) for (name,) in session.query(query, {"table": table})]

    def schema(self, session: ScriptSession) -> Sequence[Named]:
        return self._named(session, packaged("schema.duckdb.sql"))
