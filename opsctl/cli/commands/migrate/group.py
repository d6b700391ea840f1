"""`opsctl migrate`: apply files; its other verbs are loaded when called."""

from collections.abc import Mapping, Sequence

import click

from opsctl.cli.click_classes import LazyGroup
from opsctl.cli.command_table import Entry
from opsctl.cli.flags import TEXT_AND_JSON, Duration
from opsctl.cli.session import Session, pass_session
from opsctl.errors import EXIT_OK, EXIT_PENDING
from opsctl.migrate.model import Order
from opsctl.migrate.pending import PendingRun, open_pending_run
from opsctl.migrate.project import Project
from opsctl.migrate.run_model import Asked, Event, Outcome, kept

VERBS: dict[str, Entry] = {
    "status": Entry("opsctl.cli.commands.migrate.status:status", "Say where every file stands."),
    "verify": Entry(
        "opsctl.cli.commands.migrate.verify:verify",
        "Find files and schemas that have drifted; exit 3.",
    ),
    "dump": Entry(
        "opsctl.cli.commands.migrate.dump:dump", "Print the schema, in an order that stays."
    ),
    "new": Entry("opsctl.cli.commands.migrate.new:new", "Start a file with the next free number."),
    "adopt": Entry(
        "opsctl.cli.commands.migrate.adopt:adopt",
        "Record what was applied before opsctl, without running it.",
    ),
    "down": Entry(
        "opsctl.cli.commands.migrate.down:down", "Take the last files back by their down parts."
    ),
}


class Migrate(LazyGroup):
    """A group that does something itself when no verb follows."""

    formats = TEXT_AND_JSON


set_option = click.option(
    "--set", "given", multiple=True, metavar="NAME=VALUE", help="Fill :NAME in, as psql does."
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
@click.option("--rehearse", is_flag=True, help="Run all in one transaction and roll it back.")
@click.option("--exit-code", is_flag=True, help="With -n: exit 4 if files are pending.")
@click.option("--resume", is_flag=True, help="Go on with a file that was interrupted.")
@click.option("--allow-out-of-order", is_flag=True, help="Also run files that came late.")
@click.option("-y", "--yes", is_flag=True, help="For scripts: nothing is asked here.")
@click.option(
    "--lock-timeout",
    "lock_timeout_s",
    type=Duration(),
    help="Wait this long for another runner; then exit 75.",
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
    """Apply migrations/*.sql, each file once.

    Every file runs in one transaction together with its row in the tracking table. The first
    failure stops the run; what came before it is kept and named. With --json every file is an
    event, one line each.
    """
    if click.get_current_context().invoked_subcommand:
        return
    project = session.wiring.migrations(Asked(parse_variables(given), lock_timeout_s))
    order = Order(to, step, allow_out_of_order=allow_out_of_order, resume=resume)
    session.wiring.guard_production(session.command)
    with open_pending_run(project, order) as drafted:
        for note in drafted.notes:
            session.output.note(f"note: {note}")
        if dry_run or rehearse:
            _show(session, drafted, rehearse=rehearse, exit_code=exit_code)
        outcome = _apply(session, project, drafted) if drafted.works else drafted.nothing()
    return session.output.conclude(outcome, [_summary(outcome)])


def _apply(session: Session, project: Project, drafted: PendingRun) -> Outcome:
    applied: list[str] = []

    def tell(event: Event) -> None:
        session.output.event(event, str(event))
        applied.extend([event.file] if event.event == "applied" else [])
        session.left_behind = f"the file that ran is in whole or not at all; {kept(applied)}"

    address, wait_s = project.dialect.scripts.address, project.patience.runner_s
    with session.audited_change(address, lock="migrate", wait_s=wait_s):
        session.left_behind = f"the file that ran is in whole or not at all; {kept(applied)}"
        outcome = drafted.apply(tell, session.heartbeat)
        project.write_schema(drafted.ledger, outcome)
    return outcome


def _show(session: Session, drafted: PendingRun, *, rehearse: bool, exit_code: bool) -> int:
    from opsctl.cli.show.migrate import blocks  # noqa: PLC0415 - a run does not pay for it
    from opsctl.migrate.preview import forecast  # noqa: PLC0415 - same

    report = forecast(drafted, rehearse=rehearse)
    code = EXIT_PENDING if exit_code and report.files else EXIT_OK
    return session.output.conclude(report, blocks(report), exit_code=code)


def _summary(outcome: Outcome) -> str:
    count, left = len(outcome.applied), outcome.pending
    rest = f"{left} pending beyond what was asked for" if left else "all files are applied"
    if not count:
        return f"nothing to do: {rest}"
    return f"{count} {'file' if count == 1 else 'files'} applied{f', {rest}' if left else ''}"
