"""One directory of files and the database it is for: what every verb of migrate begins with."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from opsctl.migrate.model import Library, Migration, Standing
from opsctl.migrate.plan import standings
from opsctl.migrate.read import read_data, read_library
from opsctl.migrate.run_model import Outcome, Patience, Rules, Work
from opsctl.migrate.tracking_table import Ledger
from opsctl.value import Value

if TYPE_CHECKING:
    from opsctl.migrate.dialect import Dialect
    from opsctl.systems.clock import Clock
    from opsctl.systems.files.read_folder import Folder


def _chance() -> float:
    import random  # noqa: PLC0415 - few runs meet anybody

    return random.random()  # noqa: S311 - see `draw`


class Project(Value):
    directory: Path
    folder: "Folder"
    dialect: "Dialect"
    rules: Rules
    patience: Patience
    clock: "Clock"
    git_sha: Callable[[], str] = str
    """Asked only when something is written down."""
    draw: Callable[[], float] = _chance
    """Not for secrecy: two who wait for each other must not come back at the same moment."""
    schema_file: Path | None = None
    write: Callable[[Path, str], object] = Path.write_text

    @contextmanager
    def ledger(self) -> Iterator[Ledger]:
        with self.dialect.scripts.session() as session:
            yield Ledger(self.dialect, session, self.git_sha)

    def write_schema(self, ledger: Ledger, outcome: Outcome) -> None:
        """Keep the file that shows the schema up to date, if there is to be one."""
        if self.schema_file is not None and outcome.applied:
            from opsctl.migrate.dump import as_text  # noqa: PLC0415 - few ask for it

            text = as_text(self.dialect.schema(ledger.session))
            self.write(self.schema_file, text)

    def library(self) -> Library:
        return read_library(self.folder, self.directory)

    def prepared(self, migration: Migration) -> Work:
        """Read a file as work, or refuse it."""
        from opsctl.migrate.prepare import prepare  # noqa: PLC0415 - only for what runs

        return prepare(
            migration, self.rules, partial(read_data, self.folder, self.directory, migration)
        )


def look(project: Project, ledger: Ledger, *, whole: bool = False) -> tuple[Standing, ...]:
    rows = ledger.history() if whole else ledger.applied()
    return standings(project.library().migrations, rows)
