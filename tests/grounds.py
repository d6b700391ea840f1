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
from opsctl.systems.files.read_folder import LocalFolder
from opsctl.systems.postgres.scripts import LibpqScripts
from opsctl.systems.sqlite.scripts import SqliteScripts

CLOCK = SystemClock()
BUSY_S = 10.0
WHO = "somebody@here"
KINDS = ("postgres", "timescale", "sqlite", "duckdb")


@dataclass(frozen=True, slots=True)
class Ground:
    """Write files, run them, and look at what is there."""

    kind: str
    url: str
    directory: Path
    project: MigrationContext
    events: list[MigrationEvent] = field(default_factory=list)

    @property
    def is_server(self) -> bool:
        return self.url.startswith("postgresql")

    def write(self, name: str, text: str) -> None:
        path = self.directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())

    def apply(self, order: ApplyOptions | None = None) -> ApplyReport:
        with open_pending_run(self.project, order or ApplyOptions()) as drafted:
            return drafted.apply(self.events.append)

    def query(self, statement: str) -> list[Any]:
        with self.project.dialect.scripts.session() as session:
            return session.query(statement)

    def execute(self, statement: str) -> None:
        with self.project.dialect.scripts.session() as session:
            session.run_alone(statement)

    def tables(self) -> list[str]:
        """Name the tables there are, without the tracking table."""
        with self.project.ledger() as ledger:
            found = self.project.dialect.schema(ledger.session)
        names = (thing.name for thing in found if thing.kind == "table")
        return sorted(name.rpartition(".")[2] for name in names)

    def rows(self) -> list[int]:
        with self.project.ledger() as ledger:
            return [row.version for row in ledger.applied()]

    def standings(self) -> Sequence[MigrationStatus]:
        with self.project.ledger() as ledger:
            return read_statuses(self.project, ledger, whole=True)

    def states(self) -> list[MigrationState]:
        return [standing.state for standing in self.standings()]

    def with_rules(self, **changes: Any) -> "Ground":
        return replace(
            self, project=self.project.replaced(rules=self.project.rules.replaced(**changes))
        )

    def with_patience(self, **changes: Any) -> "Ground":
        patience = self.project.patience.replaced(**changes)
        return replace(self, project=self.project.replaced(patience=patience))


def ground(kind: str, url: str, directory: Path) -> Ground:
    dialect = dialect_of(kind, url)
    limits = TimeLimits(lock_s=5.0, statement_s=60.0)
    rules = PrepareOptions(limits, dialect.read, dialect.why_alone, takes_copy=dialect.takes_copy)
    patience = WaitLimits(BUSY_S, retries=3, first_pause_s=0.05, longest_pause_s=0.2)
    directory.mkdir(parents=True, exist_ok=True)
    project = MigrationContext(directory, LocalFolder(), dialect, rules, patience, CLOCK)
    return Ground(kind, url, directory, project)


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
