"""A run before it starts: what it would apply, checked before anything is changed."""

from collections.abc import Iterator
from contextlib import contextmanager

from opsctl.migrate.context import MigrationContext
from opsctl.migrate.model import ApplyOptions, MigrationFiles, MigrationPlan
from opsctl.migrate.plan import compare_statuses, plan_run
from opsctl.migrate.run_model import ApplyReport, PreparedFile, ReportEvent
from opsctl.migrate.tracking_table import TrackingTable
from opsctl.progress import NoProgress, Progress
from opsctl.value import Value


class PendingRun(Value):
    """What a run would apply, as read before other runners are locked out."""

    context: MigrationContext
    tracking: TrackingTable
    migration_files: MigrationFiles
    options: ApplyOptions
    plan: MigrationPlan
    files: tuple[PreparedFile, ...]

    @property
    def notes(self) -> tuple[str, ...]:
        return (*self.migration_files.notes, *self.plan.notes)

    def report_nothing(self) -> ApplyReport:
        return ApplyReport((), self.notes, self.plan.remaining)

    def apply(self, report: ReportEvent, progress: Progress | None = None) -> ApplyReport:
        """Lock out other runners, read the rows again, and apply."""
        from opsctl.migrate.apply import apply_files  # noqa: PLC0415 - only for what runs
        from opsctl.migrate.run import MigrationRun  # noqa: PLC0415 - same

        context, tracking = self.context, self.tracking
        with context.dialect.hold_runner_lock(
            tracking.session, wait_s=context.wait_limits.runner_timeout_s
        ):
            tracking.create()
            again = plan_run(
                compare_statuses(self.migration_files.migrations, tracking.read_applied()),
                self.options,
            )
            wanted = {migration.version for migration in again.to_apply}
            files = [prepared for prepared in self.files if prepared.migration.version in wanted]
            shown = progress or NoProgress()
            run = MigrationRun(context, tracking, report, resumed=again.resumed, progress=shown)
            apply_files(run, files)
        return ApplyReport(
            tuple(prepared.file for prepared in run.applied), self.notes, again.remaining
        )


@contextmanager
def open_pending_run(context: MigrationContext, options: ApplyOptions) -> Iterator[PendingRun]:
    """Read files and rows, and refuse whatever can be refused before anything runs."""
    context.dialect.scripts.call_ahead(context.dialect.row_query)
    try:
        migration_files = context.read_migration_files()
    except BaseException:
        context.dialect.scripts.hang_up()
        raise
    with context.open_tracking_table() as tracking:
        # An interrupted file may be running in another runner: that is checked under the lock.
        lenient = options.replaced(resume=True)
        planned = plan_run(
            compare_statuses(migration_files.migrations, tracking.read_applied()), lenient
        )
        files = _prepare_files(context, tracking, planned) if planned.to_apply else ()
        yield PendingRun(context, tracking, migration_files, options, planned, files)


def _prepare_files(
    context: MigrationContext, tracking: TrackingTable, planned: MigrationPlan
) -> tuple[PreparedFile, ...]:
    from opsctl.migrate.prepare import refuse_pooled  # noqa: PLC0415 - only for what runs

    files = tuple(context.prepare(migration) for migration in planned.to_apply)
    refuse_pooled(files, is_pooled=lambda: tracking.session.is_pooled)
    return files
