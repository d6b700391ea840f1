"""`opsctl restart`."""

import click

from opsctl.cli.click_classes import OpsctlCommand
from opsctl.cli.deploying.options import (
    dry_run_option,
    exit_code_option,
    never_asks_option,
    wait_timeout_option,
)
from opsctl.cli.deploying.run import LinePrinter, lock_project
from opsctl.cli.flags import lock_timeout
from opsctl.cli.session import Session, pass_session
from opsctl.cli.show.services import view_restart, view_restart_plan
from opsctl.deploy.observe import Observer
from opsctl.deploy.services.restart import prepare_restart, restart_services
from opsctl.errors import EXIT_OK, EXIT_PENDING


@click.command(cls=OpsctlCommand)
@click.argument("services", nargs=-1)
@never_asks_option
@click.option("--allow-stateful", is_flag=True, help="Allow restarting services that keep data.")
@wait_timeout_option
@dry_run_option
@exit_code_option
@lock_timeout
@pass_session
def restart(
    session: Session,
    *,
    services: tuple[str, ...],
    yes: bool,  # noqa: ARG001 - a restart never asks
    allow_stateful: bool,
    wait_timeout_s: float | None,
    dry_run: bool,
    exit_code: bool,
    lock_timeout_s: float | None,
) -> int:
    """Restart services, and wait until they are healthy.

    Without SERVICES, restarts all but completed one-shots. The containers stay the same: changed
    files, images or variables need `opsctl up`. Repairs what is unhealthy, paused or stopped.

    Exit 5: a service keeps data, and --allow-stateful was not given. Exit 1: one did not become
    healthy.

    \b
    Examples:
      opsctl restart -e prod web
      opsctl restart -e prod -n              show what would restart, in which order
      opsctl restart -e dev --allow-stateful
    """
    observer = Observer(session.wiring)
    if dry_run:
        plan = prepare_restart(observer, services, allow_stateful=allow_stateful).plan
        code = EXIT_PENDING if exit_code and not plan.is_idle else EXIT_OK
        return session.output.conclude(plan, view_restart_plan(plan), exit_code=code)
    timeout_s = wait_timeout_s or session.wiring.settings.deploy.wait_timeout_s
    with lock_project(session, observer, wait_s=lock_timeout_s):
        prepared = prepare_restart(observer, services, allow_stateful=allow_stateful)
        session.left_behind = "some services may have restarted; no container was removed"
        report = restart_services(
            observer, prepared, timeout_s=timeout_s, report=LinePrinter(session)
        )
    return session.output.conclude(report, view_restart(report))
