"""`opsctl migrate down`."""

from collections.abc import Sequence
from dataclasses import dataclass

import click

from opsctl.cli.click_classes import OpsctlCommand
from opsctl.cli.commands.migrate.group import parse_variables, set_option
from opsctl.cli.confirm import confirm, confirm_by_name
from opsctl.cli.flags import Duration
from opsctl.cli.session import Session, pass_session
from opsctl.migrate.down import choose, prepare_down, take_back
from opsctl.migrate.project import look
from opsctl.migrate.run_model import Asked


@dataclass(frozen=True, slots=True)
class TakenBack:
    files: tuple[str, ...]


@click.command(cls=OpsctlCommand)
@click.option("--to", type=click.IntRange(0), metavar="V", help="Take back everything after V.")
@click.option(
    "--step", type=click.IntRange(1), metavar="N", help="Take back N files; 1 by default."
)
@click.option("-n", "--dry-run", is_flag=True, help="Show the files; run nothing.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask; in prod --confirm is needed too.")
@click.option("--confirm", "typed", metavar="ENV", help="Answer the question that prod asks.")
@click.option(
    "--lock-timeout",
    "lock_timeout_s",
    type=Duration(),
    help="Wait this long for another runner; then exit 75.",
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
    """Take the last files back by their down parts: NNN_name.down.sql.

    Each runs in one transaction, together with the removal of its row.
    """
    project = session.wiring.migrations(Asked(parse_variables(given), lock_timeout_s))
    session.wiring.guard_production(session.command)
    with project.ledger() as ledger:
        works = prepare_down(project, choose(look(project, ledger), to=to, step=step))
        names = tuple(work.file for work in works)
        if dry_run or not works:
            return session.output.conclude(TakenBack(names), names or ("nothing to take back",))
        _ask(session, f"This runs {', '.join(names)}, which may destroy data.", typed, yes=yes)
        address, wait_s = project.dialect.scripts.address, project.patience.runner_s
        with session.audited_change(address, lock="migrate", wait_s=wait_s):
            session.left_behind = "the file that ran is taken back in whole or not at all"
            done = take_back(project, ledger, works, lambda e: session.output.event(e, str(e)))
    return session.output.conclude(TakenBack(tuple(done)), [f"{len(done)} taken back"])


def _ask(session: Session, question: str, typed: str | None, *, yes: bool) -> None:
    """Ask before data may be destroyed; production wants its name."""
    if session.wiring.settings.env == "prod":
        confirm_by_name(session, question, name="prod", given=typed)
    else:
        confirm(session, f"{question} Go on?", yes=yes)
