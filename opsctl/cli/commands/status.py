"""`opsctl status`, `history`, `rollback` and `prune`."""

from dataclasses import dataclass

import click

from opsctl.cli.click_classes import OpsctlCommand
from opsctl.cli.confirm import confirm
from opsctl.cli.deploying.run import (
    changing,
    conclude_plan,
    dry_run_flag,
    exit_code_flag,
    helpers_of,
    run_shown,
    stateful_flag,
    teller,
    wait_flag,
)
from opsctl.cli.flags import FORMATS, lock_timeout
from opsctl.cli.session import Session, pass_session
from opsctl.cli.show.deploy import view_deployed, view_history, view_prune, view_pruned, view_status
from opsctl.deploy.model import Recorded, Wish
from opsctl.deploy.observe import Observer
from opsctl.deploy.prune.prune import clean_up, look
from opsctl.deploy.releases.release_log import Ledger
from opsctl.deploy.releases.rollback import prepare_rollback
from opsctl.deploy.status import status as status_of
from opsctl.deploy.up import settle
from opsctl.errors import EXIT_OK, EXIT_PENDING


@dataclass(frozen=True, slots=True)
class History:
    env: str
    releases: tuple[Recorded, ...]


@click.command(cls=OpsctlCommand, formats=FORMATS)
@click.option("--no-stats", is_flag=True, help="Leave out CPU and memory, which take two seconds.")
@pass_session
def status(session: Session, *, no_stats: bool) -> int:
    """Show what runs, how it is and how it differs; exit 3 on trouble.

    Health, image, restarts, CPU and memory of each service, drift from the compose file, a deploy
    that is at work, and one that was cut off.
    """
    found = status_of(Observer(session.wiring), measure=not no_stats)
    return session.output.conclude(found, view_status(found))


@click.command(cls=OpsctlCommand)
@click.option(
    "--limit",
    type=click.IntRange(1, 1000),
    default=20,
    show_default=True,
    help="How many releases, newest first.",
)
@pass_session
def history(session: Session, *, limit: int) -> int:
    """List the releases of an environment, newest first."""
    wiring = session.wiring
    env = wiring.settings.env
    book = Ledger(wiring.store.releases, wiring.clock, env)
    found = History(env, book.recent(limit))
    return session.output.conclude(found, view_history(found.releases))


@click.command(cls=OpsctlCommand)
@click.argument("release", required=False)
@click.option("-y", "--yes", is_flag=True, help="Accepted everywhere; this command asks nothing.")
@stateful_flag
@wait_flag
@dry_run_flag
@exit_code_flag
@lock_timeout
@pass_session
def rollback(
    session: Session,
    *,
    release: str | None,
    yes: bool,  # noqa: ARG001 - in an emergency nothing is asked
    allow_stateful: bool,
    wait_timeout_s: float | None,
    dry_run: bool,
    exit_code: bool,
    lock_timeout_s: float | None,
) -> int:
    """Go back to RELEASE, by default to the one before; needs no network.

    RELEASE is a name from `opsctl history`, or the beginning of a commit. The schema stays as it
    is. An image that was cleaned up is pulled by digest, or built again from its commit.
    """
    wish = Wish(allow_stateful=allow_stateful, wait_timeout_s=wait_timeout_s, kind="rollback")
    observer = Observer(session.wiring)
    helpers = helpers_of(session, migrate=False)
    if dry_run:
        run = prepare_rollback(observer, release, wish, helpers)
        return conclude_plan(session, run, exit_code=exit_code)
    with changing(session, observer, wait_s=lock_timeout_s):
        settle(observer)
        done = run_shown(session, prepare_rollback(observer, release, wish, helpers))
    return session.output.conclude(done, view_deployed(done))


@click.command(cls=OpsctlCommand)
@click.option(
    "--keep",
    type=click.IntRange(0, 50),
    help="Releases before the running one to keep; deploy.keep_releases by default.",
)
@click.option("-y", "--yes", is_flag=True, help="Remove without asking.")
@dry_run_flag
@exit_code_flag
@lock_timeout
@pass_session
def prune(
    session: Session,
    *,
    keep: int | None,
    yes: bool,
    dry_run: bool,
    exit_code: bool,
    lock_timeout_s: float | None,
) -> int:
    """Remove what nothing uses; the release before stays restorable, and every volume stays.

    Stopped containers, unused networks, unused images, build cache. What the running release and
    the one before it need is kept, and proved present first.
    """
    observer = Observer(session.wiring)
    if dry_run:
        plan = look(observer, keep=keep)
        code = EXIT_PENDING if exit_code and plan.doomed else EXIT_OK
        return session.output.conclude(plan, view_prune(plan), exit_code=code)
    if not yes:
        doomed = look(observer, keep=keep).doomed
        confirm(session, f"Remove {len(doomed)} things? (-n lists them)", yes=not doomed)
    with changing(session, observer, wait_s=lock_timeout_s):
        session.left_behind = "what was removed is gone; everything that is needed is still there"
        done = clean_up(observer, tell=teller(session), keep=keep)
    return session.output.conclude(done, view_pruned(done))
