"""`opsctl migrate adopt`."""

from collections.abc import Sequence

import click

from opsctl.cli.click_classes import OpsctlCommand
from opsctl.cli.confirm import confirm
from opsctl.cli.session import Session, pass_session
from opsctl.errors import UsageError
from opsctl.migrate.adopt import (
    SOURCES,
    Adoption,
    plan_adoption,
    record_adoption,
)


@click.command(cls=OpsctlCommand)
@click.option("--to", type=click.IntRange(0), metavar="V", help="Record every file up to V.")
@click.option("--from", "source", type=click.Choice(SOURCES), help="Which tool's records to read.")
@click.option(
    "--accept", "accepted", type=int, multiple=True, metavar="V", help="Accept file V as it is now."
)
@click.option(
    "--forget", "forgotten", type=int, multiple=True, metavar="V", help="Delete the row of V."
)
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
    """Record migrations that another tool has applied.

    Reads a file .applied, or the table schema_migrations of dbmate or golang-migrate; runs no file.

    \b
    Examples:
      opsctl migrate adopt --from dbmate
      opsctl migrate adopt --accept 12
    """
    if (accepted or forgotten) and (to is not None or source):
        raise UsageError("cannot combine --accept or --forget with --to or --from")
    context = session.wiring.migrations()
    session.wiring.guard_production(session.command)
    with context.open_tracking_table() as tracking:
        changes = [f"accept {v}" for v in accepted] + [f"forget {v}" for v in forgotten]
        adoption = Adoption("this command", (), ())
        if not changes:
            adoption = plan_adoption(context, tracking, to=to, source=source)
            changes = [f"record {file}" for file in adoption.files]
        if dry_run or not changes:
            return session.output.conclude(adoption, _adoption(adoption, changes))
        confirm(
            session,
            f"{len(changes)} rows will change: {', '.join(changes[:5])}. Continue?",
            yes=yes,
        )
        address, wait_s = context.dialect.scripts.address, context.wait_limits.runner_timeout_s
        with session.audited_change(address, lock="migrate", wait_s=wait_s):
            record_adoption(context, tracking, adoption, accepted=accepted, forgotten=forgotten)
    return session.output.conclude(adoption, _adoption(adoption, changes))


def _adoption(adoption: Adoption, changes: Sequence[str]) -> list[str]:
    unknown = ", ".join(map(str, adoption.unknown))
    return [
        f"from {adoption.source}:",
        *(f"  {change}" for change in changes or ("nothing to record",)),
        *([f"  no file has the numbers {unknown}"] if unknown else []),
    ]
