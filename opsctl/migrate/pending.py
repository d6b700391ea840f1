"""A run before it starts: what it would apply, checked before anything is changed."""

from collections.abc import Iterator
from contextlib import contextmanager

from opsctl.migrate.model import Library, Order, Plan
from opsctl.migrate.plan import plan, standings
from opsctl.migrate.project import Project
from opsctl.migrate.run_model import Outcome, Tell, Work
from opsctl.migrate.tracking_table import Ledger
from opsctl.progress import NoProgress, Progress
from opsctl.value import Value


class PendingRun(Value):
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
        from opsctl.migrate.apply import apply_files  # noqa: PLC0415 - only for what runs
        from opsctl.migrate.run import MigrationRun  # noqa: PLC0415 - same

        project, ledger = self.project, self.ledger
        with project.dialect.hold(ledger.session, wait_s=project.patience.runner_s):
            ledger.create()
            again = plan(standings(self.library.migrations, ledger.applied()), self.order)
            wanted = {migration.version for migration in again.todo}
            works = [work for work in self.works if work.migration.version in wanted]
            shown = progress or NoProgress()
            run = MigrationRun(project, ledger, tell, resumed=again.resumed, progress=shown)
            apply_files(run, works)
        return Outcome(tuple(work.file for work in run.kept), self.notes, again.left)


@contextmanager
def open_pending_run(project: Project, order: Order) -> Iterator[PendingRun]:
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
        yield PendingRun(project, ledger, library, order, planned, works)


def _prepared(project: Project, ledger: Ledger, planned: Plan) -> tuple[Work, ...]:
    from opsctl.migrate.prepare import refuse_pooled  # noqa: PLC0415 - only for what runs

    works = tuple(project.prepared(migration) for migration in planned.todo)
    refuse_pooled(works, is_pooled=lambda: ledger.session.is_pooled)
    return works
