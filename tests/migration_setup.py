"""A folder of migrations and a real database of any kind, for tests of both."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from opsctl.migrate.context import MigrationContext, read_statuses
from opsctl.migrate.dialect import Dialect
from opsctl.migrate.dialects.duckdb import DuckdbDialect
from opsctl.migrate.dialects.postgres import PostgresDialect
from opsctl.migrate.dialects.sqlite import SqliteDialect
from opsctl.migrate.model import ApplyOptions, MigrationState, MigrationStatus, TimeLimits
from opsctl.migrate.pending import open_pending_run
from opsctl.migrate.run_model import ApplyReport, MigrationEvent, PrepareOptions, WaitLimits
from opsctl.systems.clock import SystemClock
from opsctl.systems.duckdb import DuckdbScripts
from opsctl.systems.files.read_folder import LocalFolderReader
from opsctl.systems.postgres.scripts import LibpqScripts
from opsctl.systems.sqlite.scripts import SqliteScripts

CLOCK = SystemClock()
BUSY_S = 10.0
WHO = "somebody@here"
KINDS = ("postgres", "timescale", "sqlite", "duckdb")


@dataclass(frozen=True, slots=True)
class MigrationSetup:
    """Write files, run them, and look at what is there."""

    kind: str
    url: str
    directory: Path
    context: MigrationContext
    events: list[MigrationEvent] = field(default_factory=list)

    @property
    def is_server(self) -> bool:
        return self.url.startswith("postgresql")

    def write(self, name: str, text: str) -> None:
        path = self.directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())

    def apply(self, options: ApplyOptions | None = None) -> ApplyReport:
        with open_pending_run(self.context, options or ApplyOptions()) as pending_run:
            return pending_run.apply(self.events.append)

    def query(self, statement: str) -> list[Any]:
        with self.context.dialect.scripts.session() as session:
            return session.query(statement)

    def execute(self, statement: str) -> None:
        with self.context.dialect.scripts.session() as session:
            session.run_alone(statement)

    def tables(self) -> list[str]:
        """Name the tables there are, without the tracking table."""
        with self.context.open_tracking_table() as tracking:
            found = self.context.dialect.read_schema(tracking.session)
        names = (thing.name for thing in found if thing.kind == "table")
        return sorted(name.rpartition(".")[2] for name in names)

    def rows(self) -> list[int]:
        with self.context.open_tracking_table() as tracking:
            return [row.version for row in tracking.read_applied()]

    def statuses(self) -> Sequence[MigrationStatus]:
        with self.context.open_tracking_table() as tracking:
            return read_statuses(self.context, tracking, whole=True)

    def states(self) -> list[MigrationState]:
        return [status.state for status in self.statuses()]

    def with_options(self, **changes: Any) -> "MigrationSetup":
        return replace(
            self,
            context=self.context.replaced(
                prepare_options=self.context.prepare_options.replaced(**changes)
            ),
        )

    def with_wait_limits(self, **changes: Any) -> "MigrationSetup":
        wait_limits = self.context.wait_limits.replaced(**changes)
        return replace(self, context=self.context.replaced(wait_limits=wait_limits))


def set_up_migrations(kind: str, url: str, directory: Path) -> MigrationSetup:
    dialect = dialect_of(kind, url)
    limits = TimeLimits(lock_s=5.0, statement_s=60.0)
    prepare_options = PrepareOptions(
        limits,
        dialect.read_script,
        dialect.why_not_in_transaction,
        accepts_copy_data=dialect.accepts_copy_data,
    )
    wait_limits = WaitLimits(BUSY_S, retries=3, first_pause_s=0.05, longest_pause_s=0.2)
    directory.mkdir(parents=True, exist_ok=True)
    context = MigrationContext(
        directory, LocalFolderReader(), dialect, prepare_options, wait_limits, CLOCK
    )
    return MigrationSetup(kind, url, directory, context)


def dialect_of(kind: str, url: str) -> Dialect:
    path = Path(url.partition(":///")[2])
    if kind == "sqlite":
        return SqliteDialect(path, partial(SqliteScripts, clock=CLOCK, busy_s=BUSY_S), who=WHO)
    if kind == "duckdb":
        return DuckdbDialect(path, partial(DuckdbScripts, clock=CLOCK, busy_s=BUSY_S), who=WHO)
    return PostgresDialect(LibpqScripts(url, clock=CLOCK), clock=CLOCK)


def url_of(kind: str, directory: Path, fixture: Callable[[str], Any]) -> str:
    """Say the address of a fresh database of that kind."""
    if kind in {"sqlite", "duckdb"}:
        return f"{kind}:///{directory / f'data.{kind}'}"
    return str(fixture(kind).url)
