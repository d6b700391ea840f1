"""`opsctl migrate new`, `adopt` and `down`."""

from collections.abc import Sequence
from dataclasses import dataclass

import click

from opsctl.cli.click_classes import OpsctlCommand
from opsctl.cli.commands.migrate.apply import values
from opsctl.cli.confirm import confirm, confirm_by_name
from opsctl.cli.flags import Duration
from opsctl.cli.session import Session, pass_session
from opsctl.errors import UsageError
from opsctl.migrate.adopt import SOURCES, Adoption, accept, adopt_all, forget, plan_adoption
from opsctl.migrate.down import choose, prepare_down, take_back
from opsctl.migrate.new import drafts, existing, start
from opsctl.migrate.project import look
from opsctl.migrate.run_model import Asked
from opsctl.migrate.values import read_values


@dataclass(frozen=True, slots=True)
class Created:
    files: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TakenBack:
    files: tuple[str, ...]


@click.command(cls=OpsctlCommand)
@click.argument("name")
@click.option("--down", is_flag=True, help="Also start the part that takes it back.")
@click.option("-n", "--dry-run", is_flag=True, help="Show the names; write nothing.")
@click.option("-y", "--yes", is_flag=True, help="For scripts: nothing is asked here.")
@pass_session
def new(session: Session, *, name: str, down: bool, dry_run: bool, yes: bool) -> int:  # noqa: ARG001 - scripts give it everywhere
    """Start a file with the next free number."""
    wiring = session.wiring
    directory = wiring.project_dir / wiring.settings.migrations.directory
    there = existing(wiring.folder, directory)
    wanted = drafts(there, name, now=wiring.clock.now(), down=down)
    if not dry_run:
        start(wiring.files, directory, wanted)
    paths = tuple(str(directory / draft.file) for draft in wanted)
    return session.output.conclude(Created(paths), paths)


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
@values
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
    project = session.wiring.migrations(Asked(read_values(given), lock_timeout_s))
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


def _adoption(adoption: Adoption, changes: Sequence[str]) -> list[str]:
    unknown = ", ".join(map(str, adoption.unknown))
    return [
        f"from {adoption.source}:",
        *(f"  {change}" for change in changes or ("nothing to record",)),
        *([f"  no file here has the numbers {unknown}"] if unknown else []),
    ]
