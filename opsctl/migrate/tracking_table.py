"""The tracking table in one open session: reads and writes rows, runs files with their rows."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime

from opsctl import __version__
from opsctl.migrate.dialect import Dialect, ErrorKind
from opsctl.migrate.model import AppliedMigration, Migration
from opsctl.migrate.run_model import PreparedFile
from opsctl.systems.sql_scripts import Row, ScriptBatch, ScriptError, ScriptSession
from opsctl.value import Value

_ATTEMPTS = 5


class TrackingTable(Value):
    dialect: Dialect
    session: ScriptSession
    git_sha: Callable[[], str] = str

    def read_applied(self) -> tuple[AppliedMigration, ...]:
        """Read the columns that every run needs; nothing if there is no table yet."""
        rows = self.dialect.read_rows(self.session)
        return tuple(
            AppliedMigration(int(v), name, known, bool(done)) for v, name, known, done in rows
        )

    def read_history(self) -> tuple[AppliedMigration, ...]:
        """Read every column."""
        columns = (
            "version, name, checksum, finished, CAST(applied_at AS text), applied_by, duration_ms,"
        )
        rows = self._select(f"{columns} opsctl_version, git_sha")
        return tuple(_whole(row) for row in rows)

    def create(self) -> None:
        """Create the tracking table; several runners may do so at once."""
        ddl = self.dialect.tracking_ddl()
        for attempt in range(_ATTEMPTS):
            if self.dialect.has_tracking_table(self.session):
                return
            try:
                self.session.run(
                    ScriptBatch(ddl, begin=self.dialect.begin, starts=self._starts(ddl))
                )
            except ScriptError as error:
                # Another runner was faster, between our check and our statement.
                if (
                    self.dialect.classify_error(error) is ErrorKind.OTHER
                    or attempt + 1 == _ATTEMPTS
                ):
                    raise
            else:
                return

    def begin_rehearsal(self) -> None:
        """Open a transaction in which the tracking table exists, and leave it open."""
        ddl = "" if self.dialect.has_tracking_table(self.session) else self.dialect.tracking_ddl()
        begin = self.dialect.begin
        self.session.run(ScriptBatch(ddl, begin=begin, end="", starts=self._starts(ddl)))

    def apply_file(
        self, prepared: PreparedFile, *, end: str = "COMMIT", begin: str | None = None
    ) -> None:
        """Run a file and insert its row, in one transaction."""
        limits = (*self.dialect.limit_statements(prepared.limits), *self.dialect.async_commit)
        before = [*limits, self._insert(prepared.migration)]
        self.session.run(self._message(prepared, before, begin=begin, end=end))

    def revert_file(self, prepared: PreparedFile) -> None:
        """Run a down file and delete the row, in one transaction."""
        row = f"DELETE FROM {self.dialect.table} WHERE version = {prepared.migration.version:d}"  # noqa: S608 - a number
        self.session.run(
            self._message(
                prepared, [*self.dialect.limit_statements(prepared.limits), row], end="COMMIT"
            )
        )

    def apply_without_row(self, scripts: ScriptSession, prepared: PreparedFile) -> None:
        """Run a file in another database, without a row."""
        if prepared.non_transactional:
            scripts.run_alone(
                prepared.text, before=self.dialect.limit_statements(prepared.limits, local=False)
            )
        else:
            scripts.run(self._message(prepared, self.dialect.limit_statements(prepared.limits)))

    def apply_non_transactional(self, prepared: PreparedFile) -> None:
        """Run one statement without a transaction; its row is written separately."""
        self.session.run_alone(
            prepared.text,
            before=self.dialect.limit_statements(prepared.limits, local=False),
            statement_s=prepared.limits.statement_s or None,
        )

    def insert_started(self, migration: Migration) -> None:
        self.session.query(self._insert(migration, finished=False))

    def mark_finished(self, migration: Migration, duration_ms: int | None) -> None:
        self.session.query(
            f"UPDATE {self.dialect.table} SET finished = true, duration_ms = %(ms)s"  # noqa: S608 - our own name
            " WHERE version = %(version)s",
            {"ms": duration_ms, "version": migration.version},
        )

    def delete_row(self, version: int) -> None:
        statement = f"DELETE FROM {self.dialect.table} WHERE version = %(version)s"  # noqa: S608 - our own name
        self.session.query(statement, {"version": version})

    def update_checksum(self, migration: Migration) -> None:
        """Record the file as it is now as the one that was applied."""
        self.session.query(
            f"UPDATE {self.dialect.table} SET checksum = %(checksum)s, name = %(name)s"  # noqa: S608 - our own name
            " WHERE version = %(version)s",
            {
                "checksum": migration.checksum,
                "name": migration.name,
                "version": migration.version,
            },
        )

    def insert_rows(self, migrations: Iterable[Migration]) -> None:
        """Insert rows for files that another tool has applied; all or none."""
        rows = [self._insert(migration) for migration in migrations]
        if rows:
            text = ";\n".join(rows)
            self.session.run(ScriptBatch(text, begin=self.dialect.begin, starts=self._starts(text)))

    def write_durations(self, durations: Mapping[int, int]) -> None:
        """Write all at once, which also makes earlier asynchronous commits durable."""
        if not durations:
            return
        rows = ", ".join(f"({version:d}, {ms:d})" for version, ms in durations.items())
        table = self.dialect.table
        statement = (
            f"WITH took (version, ms) AS (VALUES {rows}) UPDATE {table}"  # noqa: S608 - numbers only
            f" SET duration_ms = took.ms FROM took WHERE {table}.version = took.version"
        )
        self.dialect.execute_durably(self.session, statement)

    def _message(
        self,
        prepared: PreparedFile,
        before: Sequence[str],
        *,
        begin: str | None = None,
        end: str = "COMMIT",
    ) -> ScriptBatch:
        return ScriptBatch(
            prepared.text,
            copies=prepared.copies,
            begin=self.dialect.begin if begin is None else begin,
            before=tuple(before),
            end=end,
            statement_s=prepared.limits.statement_s or None,
            starts=prepared.starts,
        )

    def _insert(self, migration: Migration, *, finished: bool = True) -> str:
        quote = self.dialect.quote_literal
        known = self.git_sha()
        sha = quote(known) if known else "NULL"
        values = {
            "version": f"{migration.version:d}",
            "name": quote(migration.name),
            "checksum": quote(migration.checksum),
            "opsctl_version": quote(__version__),
            "git_sha": sha,
            "finished": str(finished).lower(),
        } | ({"applied_by": quote(self.dialect.who)} if self.dialect.who else {})
        columns, row = ", ".join(values), ", ".join(values.values())
        return f"INSERT INTO {self.dialect.table} ({columns}) VALUES ({row})"  # noqa: S608 - every value is quoted

    def _select(self, columns: str) -> list[Row]:
        if not self.dialect.has_tracking_table(self.session):
            return []
        statement = f"SELECT {columns} FROM {self.dialect.table} ORDER BY version"  # noqa: S608 - our own names
        return self.session.query(statement)

    def _starts(self, text: str) -> tuple[int, ...]:
        return tuple(
            statement.start.offset for statement in self.dialect.read_script(text).statements
        )


def _whole(row: Sequence[object]) -> AppliedMigration:
    version, name, checksum, finished, at, by, ms, opsctl, sha = row
    return AppliedMigration(
        int(str(version)),
        str(name),
        str(checksum),
        bool(finished),
        applied_at=datetime.fromisoformat(str(at)),
        applied_by=str(by or ""),
        duration_ms=None if ms is None else int(str(ms)),
        opsctl_version=str(opsctl or ""),
        git_sha=str(sha or ""),
    )
