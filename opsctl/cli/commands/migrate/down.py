"""`opsctl migrate down`."""

from collections.abc import Sequence
from dataclasses import dataclass

import click

from opsctl.cli.click_classes import OpsctlCommand
from opsctl.cli.commands.migrate.group import parse_variables, set_option
from opsctl.cli.confirm import confirm, confirm_by_name
from opsctl.cli.flags import Duration
from opsctl.cli.session import Session, pass_session
from opsctl.migrate.context import read_statuses
from opsctl.migrate.down import choose_reverts, prepare_reverts, revert_files
from opsctl.migrate.run_model import MigrationFlags


@dataclass(frozen=True, slots=True)
class RevertReport:
    files: tuple[str, ...]


@click.command(cls=OpsctlCommand)
@click.option("--to", type=click.IntRange(0), metavar="V", help="Revert everything after V.")
@click.option(
    "--step", type=click.IntRange(1), metavar="N", help="Revert N files; the default is 1."
)
@click.option("-n", "--dry-run", is_flag=True, help="Show the files; run nothing.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask; prod still needs --confirm.")
@click.option(
    "--confirm", "typed", metavar="ENV", help="Name of the environment, where prod asks for it."
)
@click.option(
    "--lock-timeout",
    "lock_timeout_s",
    type=Duration(),
    help="How long to wait for another runner before exit 75.",
)
@set_option
@pass_session
def down(
    session: Session,
    *,
    to: int | None,
    step: int | None,
    dry_run: bool,
    yes: bool,
    typed: str | None,
    lock_timeout_s: float | None,
    given: Sequence[str],
) -> int:
    """Revert the last migrations with their down files.

    A down file stands beside its migration, as NNN_name.down.sql. Each runs in one transaction
    that also deletes the row of its migration.

    \b
    Examples:
      opsctl migrate down -n
      opsctl migrate down --step 2
      opsctl migrate down --to 12
    """
    context = session.wiring.migrations(MigrationFlags(parse_variables(given), lock_timeout_s))
    session.wiring.guard_production(session.command)
    with context.open_tracking_table() as tracking:
        files = prepare_reverts(
            context, choose_reverts(read_statuses(context, tracking), to=to, step=step)
        )
        names = tuple(prepared.file for prepared in files)
        if dry_run or not files:
            return session.output.conclude(RevertReport(names), names or ("nothing to revert",))
        _ask(session, f"This runs {', '.join(names)}, which may destroy data.", typed, yes=yes)
        address, wait_s = context.dialect.scripts.address, context.wait_limits.runner_timeout_s
        with session.audited_change(address, lock="migrate", wait_s=wait_s):
            session.left_behind = "the current file was reverted completely or not at all"
            done = revert_files(context, tracking, files, lambda e: session.output.event(e, str(e)))
    return session.output.conclude(RevertReport(tuple(done)), [f"{len(done)} files reverted"])


def _ask(session: Session, question: str, typed: str | None, *, yes: bool) -> None:
    """Ask before data may be destroyed; in prod the name must be typed."""
    if session.wiring.settings.env == "prod":
        confirm_by_name(session, question, name="prod", given=typed)
    else:
        confirm(session, f"{question} Continue?", yes=yes)
