"""`opsctl down`."""

import click

from opsctl.cli.click_classes import OpsctlCommand
from opsctl.cli.confirm import confirm_by_name
from opsctl.cli.deploying.options import dry_run_option, exit_code_option
from opsctl.cli.deploying.run import LinePrinter, lock_project
from opsctl.cli.flags import lock_timeout
from opsctl.cli.session import Session, pass_session
from opsctl.cli.show.deploy import view_down
from opsctl.deploy.down import plan_down, take_down
from opsctl.deploy.observe import Observer
from opsctl.errors import EXIT_OK, EXIT_PENDING


@click.command(cls=OpsctlCommand)
@click.option("-y", "--yes", is_flag=True, help="Do not ask; not enough in production.")
@click.option(
    "--confirm", "confirmed_env", metavar="ENV", help="Confirm by the environment's name."
)
@dry_run_option
@exit_code_option
@lock_timeout
@pass_session
def down(
    session: Session,
    *,
    yes: bool,
    confirmed_env: str | None,
    dry_run: bool,
    exit_code: bool,
    lock_timeout_s: float | None,
) -> int:
    """Stop an environment: remove its containers and networks, keep volumes.

    Production must be confirmed by its name: type it, or give --confirm prod.

    \b
    Examples:
      opsctl down -e dev
      opsctl down -e prod --confirm prod
    """
    observer = Observer(session.wiring)
    if dry_run:
        plan = plan_down(observer)
        code = EXIT_PENDING if exit_code and not plan.is_idle else EXIT_OK
        return session.output.conclude(plan, view_down(plan), exit_code=code)
    _confirm(session, yes=yes, confirmed_env=confirmed_env)
    with lock_project(session, observer, wait_s=lock_timeout_s):
        session.left_behind = "some containers may be stopped; volumes were not touched"
        plan = take_down(observer, report=LinePrinter(session))
    return session.output.conclude(plan, view_down(plan))


def _confirm(session: Session, *, yes: bool, confirmed_env: str | None) -> None:
    target = session.wiring.target
    if target.is_prod or (not yes and confirmed_env is not None):
        question = f"This stops {target.project}."
        confirm_by_name(session, question, name=target.env, given=confirmed_env)
