"""`opsctl up`, `opsctl down` and `opsctl logs`."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click

from opsctl.cli.click_classes import OpsctlCommand
from opsctl.cli.confirm import confirm_by_name
from opsctl.cli.deploying.migration import migration_of
from opsctl.cli.deploying.notices import notifier_of
from opsctl.cli.flags import Duration, lock_timeout
from opsctl.cli.session import Session, pass_session
from opsctl.cli.show.deploy import view_deployed, view_down, view_plan
from opsctl.deploy.down import plan_down, take_down
from opsctl.deploy.execute import execute
from opsctl.deploy.logs import follow
from opsctl.deploy.model import Deployed, Wish
from opsctl.deploy.observe import Observer
from opsctl.deploy.run import Helpers, Run
from opsctl.deploy.up import engine_lock, prepare, settle
from opsctl.deploy.verify.data_checks import gates
from opsctl.errors import EXIT_OK, EXIT_PENDING
from opsctl.systems.engine.compose import LogOptions
from opsctl.systems.process.output import Line

dry_run_flag = click.option("-n", "--dry-run", is_flag=True, help="Show the plan; change nothing.")
exit_code_flag = click.option(
    "--exit-code", is_flag=True, help="With -n: exit 4 if anything would change."
)
stateful_flag = click.option(
    "--allow-stateful", is_flag=True, help="Let a service that keeps data be recreated."
)
wait_flag = click.option(
    "--wait-timeout",
    "wait_timeout_s",
    type=Duration(),
    help="Wait this long until every service is well, e.g. 90s.",
)


@click.command(cls=OpsctlCommand)
@click.argument("services", nargs=-1)
@click.option("--build", is_flag=True, help="Build every image anew, changed or not.")
@click.option("--no-migrate", is_flag=True, help="Leave the schema as it is.")
@click.option("--allow-dirty", is_flag=True, help="Deploy uncommitted changes; it is recorded.")
@click.option("-y", "--yes", is_flag=True, help="Accepted everywhere; this command asks nothing.")
@stateful_flag
@wait_flag
@dry_run_flag
@exit_code_flag
@lock_timeout
@pass_session
def up(
    session: Session,
    *,
    services: tuple[str, ...],
    build: bool,
    no_migrate: bool,
    allow_dirty: bool,
    yes: bool,  # noqa: ARG001 - a deploy asks nothing
    allow_stateful: bool,
    wait_timeout_s: float | None,
    dry_run: bool,
    exit_code: bool,
    lock_timeout_s: float | None,
) -> int:
    """Deploy the checkout: plan, build or pull, start, verify, record.

    Exit 5 if a guard refuses; 1 if the deploy failed and what ran before runs again; 8 if that
    could not be put back; 75 if another deploy is at work.
    """
    wish = Wish(services, build, allow_dirty, allow_stateful, wait_timeout_s)
    observer = Observer(session.wiring)
    _ = observer.asked
    helpers = helpers_of(session, migrate=not no_migrate)
    if dry_run:
        return conclude_plan(session, prepare(observer, wish, helpers), exit_code=exit_code)
    with changing(session, observer, wait_s=lock_timeout_s):
        settle(observer)
        done = run_shown(session, prepare(observer, wish, helpers))
    return session.output.conclude(done, view_deployed(done))


@click.command(cls=OpsctlCommand)
@click.option("-y", "--yes", is_flag=True, help="Go on without asking; not enough in production.")
@click.option("--confirm", "given", metavar="ENV", help="The environment's name, typed.")
@dry_run_flag
@exit_code_flag
@lock_timeout
@pass_session
def down(
    session: Session,
    *,
    yes: bool,
    given: str | None,
    dry_run: bool,
    exit_code: bool,
    lock_timeout_s: float | None,
) -> int:
    """Stop an environment: containers and networks go, volumes stay.

    Production wants its name typed, or --confirm prod; --yes does not cover it.
    """
    observer = Observer(session.wiring)
    if dry_run:
        planned = plan_down(observer)
        code = EXIT_PENDING if exit_code and not planned.is_idle else EXIT_OK
        return session.output.conclude(planned, view_down(planned), exit_code=code)
    _confirm_down(session, yes=yes, given=given)
    with changing(session, observer, wait_s=lock_timeout_s):
        session.left_behind = "some containers may be stopped; volumes are untouched"
        planned = take_down(observer, tell=teller(session))
    return session.output.conclude(planned, view_down(planned))


def _confirm_down(session: Session, *, yes: bool, given: str | None) -> None:
    target = session.wiring.target
    if target.is_prod or (not yes and given is not None):
        confirm_by_name(session, f"This stops {target.project}.", name=target.env, given=given)


@click.command(cls=OpsctlCommand)
@click.argument("services", nargs=-1)
@click.option("-f", "--follow", "is_followed", is_flag=True, help="Go on as lines come.")
@click.option(
    "--lines",
    type=click.IntRange(1, 100_000),
    default=100,
    show_default=True,
    help="Lines of each service to begin with.",
)
@click.option("--times", is_flag=True, help="Begin each line with its time.")
@pass_session
def logs(
    session: Session, *, services: tuple[str, ...], is_followed: bool, lines: int, times: bool
) -> None:
    """Show what the services said; secrets of the project are masked."""

    def show(line: Line) -> None:
        session.output.event({"line": line.text}, line.text)

    session.left_behind = "nothing was changed"
    wanted = LogOptions(services, lines, follow=is_followed, with_times=times)
    follow(Observer(session.wiring), wanted, show)


def helpers_of(session: Session, *, migrate: bool = True) -> Helpers:
    """Gather what a deploy calls besides its own parts."""
    return Helpers(
        tell=teller(session),
        progress=session.progress,
        migration=migration_of(session) if migrate else None,
        notifier=notifier_of(session),
        gates=gates(session.wiring),
    )


class _Teller:
    """Says a line on stderr, over a progress line that may stand there."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def __call__(self, text: str) -> None:
        if sys.stderr.isatty() and not self._session.options.quiet:
            click.echo("\r\x1b[2K", nl=False, err=True)
        self._session.output.note(text)


def teller(session: Session) -> _Teller:
    return _Teller(session)


@contextmanager
def changing(session: Session, observer: Observer, *, wait_s: float | None) -> Iterator[None]:
    """Be the only one who changes this project, here and on the engine, and on the record."""
    target, wait_s = observer.site.target, wait_s or 0.0
    lock = f"deploy-{target.project}"
    with (
        session.audited_change(
            f"{target.project} on {target.engine_name}", lock=lock, wait_s=wait_s
        ),
        engine_lock(observer.site, purpose=f"opsctl {session.command}", wait_s=wait_s),
    ):
        yield


def run_shown(session: Session, run: Run) -> Deployed:
    """Run a plan; say what is left behind if it is interrupted."""
    for warning in run.plan.warnings:
        session.output.note(f"warning: {warning.what}")
    try:
        return execute(run)
    finally:
        session.left_behind = run.left_behind


def conclude_plan(session: Session, run: Run, *, exit_code: bool) -> NoReturn:
    code = EXIT_PENDING if exit_code and not run.plan.is_idle else EXIT_OK
    session.output.conclude(run.plan, view_plan(run.plan), exit_code=code)
