"""DuckDB: a file of columns, held by one process at a time."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from opsctl.migrate.dialect import Kind, Named, packaged
from opsctl.migrate.dialects.embedded import Embedded
from opsctl.migrate.lexer import Script, read_script
from opsctl.systems.clock import Clock
from opsctl.systems.duckdb_script import DuckdbScripts
from opsctl.systems.script import ScriptError, Scripts, ScriptSession

_KINDS = {
    "constraint": Kind.DUPLICATE,
    "transaction": Kind.NEEDS_ALONE,
    "interrupted": Kind.TIMED_OUT,
}
_ALONE = {"CHECKPOINT": "CHECKPOINT", "VACUUM": "VACUUM"}


class DuckdbDialect(Embedded):
    name = "duckdb"
    begin = "BEGIN TRANSACTION"

    def __init__(self, path: Path, *, clock: Clock, busy_s: float) -> None:
        self._clock = clock
        self._busy_s = busy_s
        self.scripts: Scripts = DuckdbScripts(path, clock=clock, busy_s=busy_s)

    def tracking(self) -> str:
        return packaged("tracking.duckdb.sql")

    def read(self, text: str) -> Script:
        return read_script(text)

    def why_alone(self, words: Sequence[str]) -> str:
        word = _ALONE.get(words[0] if words else "")
        return f"DuckDB runs {word} outside of a transaction only" if word else ""

    def kind(self, error: ScriptError) -> Kind:
        return _KINDS.get(error.sqlstate, Kind.OTHER)

    def hint(self, error: ScriptError) -> str:  # noqa: ARG002 - DuckDB's own words say it
        return ""

    def is_tracked(self, session: ScriptSession) -> bool:
        query = "SELECT 1 FROM duckdb_tables() WHERE table_name = %(name)s"
        return bool(session.query(query, {"name": self.table}))

    def schema(self, session: ScriptSession) -> Sequence[Named]:
        return self._named(session, packaged("schema.duckdb.sql"))

    @contextmanager
    def shadow(self) -> Iterator[Scripts]:
        with TemporaryDirectory(prefix="opsctl-shadow-") as directory:
            path = Path(directory) / "shadow.duckdb"
            yield DuckdbScripts(path, clock=self._clock, busy_s=self._busy_s)
