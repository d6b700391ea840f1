"""`opsctl status`."""

import click

from opsctl.cli.click_classes import OpsctlCommand
from opsctl.cli.flags import FORMATS
from opsctl.cli.session import Session, pass_session
from opsctl.cli.show.deploy import view_status
from opsctl.deploy.observe import Observer
from opsctl.deploy.status import read_status


@click.command(cls=OpsctlCommand, formats=FORMATS)
@click.option("--no-stats", is_flag=True, help="Skip CPU and memory, which take two seconds.")
@pass_session
def status(session: Session, *, no_stats: bool) -> int:
    """Show running services, their health and drift; exit 3 on a problem.

    Health, image, restarts, CPU and memory of each service, drift from the compose file, and a
    deploy that is in progress or was cut off.

    \b
    Examples:
      opsctl status -e prod
      opsctl status -e prod --no-stats --json
    """
    report = read_status(Observer(session.wiring), with_stats=not no_stats)
    return session.output.conclude(report, view_status(report))
