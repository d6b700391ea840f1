"""What every migrate command needs: the directory of files, the database and the options."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from opsctl.migrate.model import Migration, MigrationFiles, MigrationStatus
from opsctl.migrate.plan import compare_statuses
from opsctl.migrate.read_files import read_migration, read_migrations
from opsctl.migrate.run_model import ApplyReport, PreparedFile, PrepareOptions, WaitLimits
from opsctl.migrate.tracking_table import TrackingTable
from opsctl.value import Value

if TYPE_CHECKING:
    from opsctl.migrate.dialect import Dialect
    from opsctl.systems.clock import Clock
    from opsctl.systems.files.read_folder import FolderReader


def _chance() -> float:
    import random  # noqa: PLC0415 - few runs meet anybody

    return random.random()  # noqa: S311 - see `draw`


class MigrationContext(Value):
    directory: Path
    folder: "FolderReader"
    dialect: "Dialect"
    prepare_options: PrepareOptions
    wait_limits: WaitLimits
    clock: "Clock"
    git_sha: Callable[[], str] = str
    """Called only when a row is written."""
    draw: Callable[[], float] = _chance
    """Randomizes pauses, so that two waiting runners do not retry at the same moment."""
    schema_file: Path | None = None
    write: Callable[[Path, str], object] = Path.write_text

    @contextmanager
    def open_tracking_table(self) -> Iterator[TrackingTable]:
        with self.dialect.scripts.session() as session:
            yield TrackingTable(self.dialect, session, self.git_sha)

    def write_schema(self, tracking: TrackingTable, outcome: ApplyReport) -> None:
        """Write the schema file, if the settings name one."""
        if self.schema_file is not None and outcome.applied:
            from opsctl.migrate.dump import format_schema  # noqa: PLC0415 - few ask for it

            text = format_schema(self.dialect.read_schema(tracking.session))
            self.write(self.schema_file, text)

    def read_migration_files(self) -> MigrationFiles:
        return read_migrations(self.folder, self.directory)

    def prepare(self, migration: Migration) -> PreparedFile:
        """Parse and check a file, or refuse it."""
        from opsctl.migrate.prepare import prepare  # noqa: PLC0415 - only for what runs

        return prepare(
            migration,
            self.prepare_options,
            partial(read_migration, self.folder, self.directory, migration),
        )


def read_statuses(
    context: MigrationContext, tracking: TrackingTable, *, whole: bool = False
) -> tuple[MigrationStatus, ...]:
    rows = tracking.read_history() if whole else tracking.read_applied()
    return compare_statuses(context.read_migration_files().migrations, rows)
