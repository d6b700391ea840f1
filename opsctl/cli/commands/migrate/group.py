"""`opsctl migrate`: applies files; the other commands are loaded when called."""

from collections.abc import Mapping, Sequence

import click

from opsctl.cli.click_classes import LazyGroup
from opsctl.cli.command_table import Entry
from opsctl.cli.flags import TEXT_AND_JSON, Duration
from opsctl.cli.session import Session, pass_session
from opsctl.errors import EXIT_OK, EXIT_PENDING
from opsctl.migrate.context import MigrationContext
from opsctl.migrate.model import ApplyOptions
from opsctl.migrate.pending import PendingRun, open_pending_run
from opsctl.migrate.run_model import ApplyReport, MigrationEvent, MigrationFlags, describe_applied

VERBS: dict[str, Entry] = {
    "status": Entry(
        "opsctl.cli.commands.migrate.status:status", "Show the state of every migration."
    ),
    "verify": Entry(
        "opsctl.cli.commands.migrate.verify:verify",
        "Find edited files and schema drift.",
    ),
    "dump": Entry(
        "opsctl.cli.commands.migrate.dump:dump", "Print the schema as SQL, in a stable order."
    ),
    "new": Entry(
        "opsctl.cli.commands.migrate.new:new", "Create a migration file with the next free number."
    ),
    "adopt": Entry(
        "opsctl.cli.commands.migrate.adopt:adopt",
        "Record migrations that another tool has applied.",
    ),
    "down": Entry(
        "opsctl.cli.commands.migrate.down:down", "Revert the last migrations with their down files."
    ),
}


class Migrate(LazyGroup):
    """A group that applies files when no other command follows."""

    formats = TEXT_AND_JSON


set_option = click.option(
    "--set",
    "given",
    multiple=True,
    metavar="NAME=VALUE",
    help="Replace :NAME in the files, as psql does.",
)


def parse_variables(given: Sequence[str]) -> Mapping[str, str]:
    if not given:
        return {}
    from opsctl.migrate.parse.variables import parse_assignments  # noqa: PLC0415 - few runs need it

    return parse_assignments(given)


@click.group(cls=Migrate, table=VERBS, invoke_without_command=True)
@click.option("--to", type=click.IntRange(0), metavar="V", help="Stop after version V.")
@click.option("--step", type=click.IntRange(1), metavar="N", help="Apply at most N files.")
@click.option(
    "-n", "--dry-run", is_flag=True, help="Show statements, locks and sizes; run nothing."
)
@click.option("--rehearse", is_flag=True, help="Run all files in one transaction and roll it back.")
@click.option("--exit-code", is_flag=True, help="With -n: exit 4 if files are pending.")
@click.option("--resume", is_flag=True, help="Continue a file that was interrupted.")
@click.option(
    "--allow-out-of-order", is_flag=True, help="Also run files below the last applied number."
)
@click.option("-y", "--yes", is_flag=True, help="Accepted for scripts; nothing is asked.")
@click.option(
    "--lock-timeout",
    "lock_timeout_s",
    type=Duration(),
    help="How long to wait for another runner before exit 75.",
)
@set_option
@pass_session
def migrate(
    session: Session,
    *,
    to: int | None,
    step: int | None,
    dry_run: bool,
    rehearse: bool,
    exit_code: bool,
    resume: bool,
    allow_out_of_order: bool,
    yes: bool,  # noqa: ARG001 - scripts give it everywhere
    lock_timeout_s: float | None,
    given: Sequence[str],
) -> int:
    """Apply pending SQL migrations, each in its own transaction.

    The row in the tracking table is part of that transaction. The first failure stops the run;
    files applied before it stay applied. With --json, each file is one event per line.

    Exits 5 if files and database contradict each other, 75 if a lock is not released in time.

    \b
    Examples:
      opsctl migrate -n
      opsctl migrate --rehearse
      opsctl migrate --to 12 --lock-timeout 10m
      opsctl migrate --set owner=app
    """
    if click.get_current_context().invoked_subcommand:
        return EXIT_OK
    context = session.wiring.migrations(MigrationFlags(parse_variables(given), lock_timeout_s))
    options = ApplyOptions(to, step, allow_out_of_order=allow_out_of_order, resume=resume)
    session.wiring.guard_production(session.command)
    with open_pending_run(context, options) as pending_run:
        for note in pending_run.notes:
            session.output.note(f"note: {note}")
        if dry_run or rehearse:
            return _show_preview(session, pending_run, rehearse=rehearse, exit_code=exit_code)
        report = _apply(session, context, pending_run)
    return session.output.conclude(report, [_summary(report)])


def _apply(session: Session, context: MigrationContext, pending_run: PendingRun) -> ApplyReport:
    if not pending_run.files:
        return pending_run.report_nothing()
    applied: list[str] = []

    def report_event(event: MigrationEvent) -> None:
        session.output.event(event, str(event))
        applied.extend([event.file] if event.event == "applied" else [])
        session.left_behind = (
            f"the current file was applied completely or not at all; {describe_applied(applied)}"
        )

    address, wait_s = context.dialect.scripts.address, context.wait_limits.runner_timeout_s
    with session.audited_change(address, lock="migrate", wait_s=wait_s):
        session.left_behind = (
            f"the current file was applied completely or not at all; {describe_applied(applied)}"
        )
        report = pending_run.apply(report_event, session.heartbeat)
        context.write_schema(pending_run.tracking, report)
    return report


def _show_preview(
    session: Session, pending_run: PendingRun, *, rehearse: bool, exit_code: bool
) -> int:
    from opsctl.cli.show.migrate import preview_blocks  # noqa: PLC0415 - only a preview needs it
    from opsctl.migrate.preview import preview_run  # noqa: PLC0415 - same

    report = preview_run(pending_run, rehearse=rehearse)
    code = EXIT_PENDING if exit_code and report.files else EXIT_OK
    return session.output.conclude(report, preview_blocks(report), exit_code=code)


def _summary(report: ApplyReport) -> str:
    count, left = len(report.applied), report.pending
    rest = f"{left} still pending" if left else "all files are applied"
    if not count:
        return f"nothing to do: {rest}"
    return f"{count} {'file' if count == 1 else 'files'} applied{f', {rest}' if left else ''}"
