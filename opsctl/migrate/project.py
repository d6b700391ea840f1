"""One directory of files and the database it is for: what every verb of migrate begins with."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from opsctl.migrate.model import Library, Migration, Order, Plan, Standing
from opsctl.migrate.plan import plan, standings
from opsctl.migrate.read import read_data, read_library
from opsctl.migrate.run_model import Outcome, Patience, Rules, Tell, Work
from opsctl.migrate.tracking_table import Ledger
from opsctl.progress import NoProgress, Progress
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


class Draft(Value):
    """A run as it stands before anyone else is kept out: what it would do, and with what."""

    project: Project
    ledger: Ledger
    library: Library
    order: Order
    plan: Plan
    works: tuple[Work, ...]

    @property
    def notes(self) -> tuple[str, ...]:
        return (*self.library.notes, *self.plan.notes)

    def nothing(self) -> Outcome:
        return Outcome((), self.notes, self.plan.left)

    def apply(self, tell: Tell, progress: Progress | None = None) -> Outcome:
        """Keep other runners out, look again, and apply."""
        from opsctl.migrate.apply import Run  # noqa: PLC0415 - a run with nothing to do is quick

        project, ledger = self.project, self.ledger
        with project.dialect.hold(ledger.session, wait_s=project.patience.runner_s):
            ledger.create()
            again = plan(standings(self.library.migrations, ledger.applied()), self.order)
            wanted = {migration.version for migration in again.todo}
            works = [work for work in self.works if work.migration.version in wanted]
            shown = progress or NoProgress()
            run = Run(project, ledger, tell, resumed=again.resumed, progress=shown)
            run.apply(works)
        return Outcome(tuple(work.file for work in run.kept), self.notes, again.left)


def look(project: Project, ledger: Ledger, *, whole: bool = False) -> tuple[Standing, ...]:
    rows = ledger.history() if whole else ledger.applied()
    return standings(project.library().migrations, rows)


@contextmanager
def draft(project: Project, order: Order) -> Iterator[Draft]:
    """Read files and rows once, and refuse all that can be refused before anything runs."""
    project.dialect.scripts.call_ahead(project.dialect.row_query)
    try:
        library = project.library()
    except BaseException:
        project.dialect.scripts.hang_up()
        raise
    with project.ledger() as ledger:
        # What looks interrupted may be at work in another runner: that is judged under the lock.
        lenient = order.replaced(resume=True)
        planned = plan(standings(library.migrations, ledger.applied()), lenient)
        works = _prepared(project, ledger, planned) if planned.todo else ()
        yield Draft(project, ledger, library, order, planned, works)


def _prepared(project: Project, ledger: Ledger, planned: Plan) -> tuple[Work, ...]:
    from opsctl.migrate.prepare import refuse_pooled  # noqa: PLC0415 - only for what runs

    works = tuple(project.prepared(migration) for migration in planned.todo)
    refuse_pooled(works, is_pooled=lambda: ledger.session.is_pooled)
    return works
