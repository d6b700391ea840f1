"""`opsctl migrate adopt`."""

from collections.abc import Sequence

import click

from opsctl.cli.click_classes import OpsctlCommand
from opsctl.cli.confirm import confirm
from opsctl.cli.session import Session, pass_session
from opsctl.errors import UsageError
from opsctl.migrate.adopt import SOURCES, Adoption, accept, adopt_all, forget, plan_adoption


@click.command(cls=OpsctlCommand)
@click.option("--to", type=click.IntRange(0), metavar="V", help="Everything up to V is there.")
@click.option("--from", "source", type=click.Choice(SOURCES), help="Whose notes to read.")
@click.option(
    "--accept", "accepted", type=int, multiple=True, metavar="V", help="Take file V as it is now."
)
@click.option("--forget", "forgotten", type=int, multiple=True, metavar="V", help="Remove V's row.")
@click.option("-n", "--dry-run", is_flag=True, help="Show what would be recorded.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@pass_session
def adopt(
    session: Session,
    *,
    to: int | None,
    source: str | None,
    accepted: Sequence[int],
    forgotten: Sequence[int],
    dry_run: bool,
    yes: bool,
) -> int:
    """Record what was applied before opsctl, without running it.

    Reads what other tools wrote down: a file .applied, dbmate's or golang-migrate's table
    schema_migrations. --to V takes everything up to V for applied. --accept and --forget mend
    single rows after `verify` has found drift.
    """
    if (accepted or forgotten) and (to is not None or source):
        raise UsageError("--accept and --forget go without --to and --from")
    project = session.wiring.migrations()
    session.wiring.guard_production(session.command)
    with project.ledger() as ledger:
        if accepted or forgotten:
            adoption = Adoption("this command", (), ())
            changes = [f"accept {v}" for v in accepted] + [f"forget {v}" for v in forgotten]
        else:
            adoption = plan_adoption(project, ledger, to=to, source=source)
            changes = [f"record {file}" for file in adoption.files]
        if dry_run or not changes:
            return session.output.conclude(adoption, _adoption(adoption, changes))
        confirm(session, f"{len(changes)} rows change: {', '.join(changes[:5])}. Go on?", yes=yes)
        address = project.dialect.scripts.address
        with session.audited_change(address, lock="migrate", wait_s=project.patience.runner_s):
            accept(project, ledger, accepted)
            forget(ledger, forgotten)
            adopt_all(project, ledger, adoption)
    return session.output.conclude(adoption, _adoption(adoption, changes))


def _adoption(adoption: Adoption, changes: Sequence[str]) -> list[str]:
    unknown = ", ".join(map(str, adoption.unknown))
    return [
        f"from {adoption.source}:",
        *(f"  {change}" for change in changes or ("nothing to record",)),
        *([f"  no file here has the numbers {unknown}"] if unknown else []),
    ]
