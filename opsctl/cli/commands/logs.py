"""`opsctl logs`."""

import click

from opsctl.cli.click_classes import OpsctlCommand
from opsctl.cli.session import Session, pass_session
from opsctl.deploy.logs import print_logs
from opsctl.deploy.observe import Observer
from opsctl.systems.engine.compose import LogOptions
from opsctl.systems.process.output import Line


@click.command(cls=OpsctlCommand)
@click.argument("services", nargs=-1)
@click.option("-f", "--follow", "is_followed", is_flag=True, help="Print new lines as they come.")
@click.option(
    "--lines",
    type=click.IntRange(1, 100_000),
    default=100,
    show_default=True,
    help="Number of last lines per service.",
)
@click.option("--times", is_flag=True, help="Start each line with its time.")
@pass_session
def logs(
    session: Session, *, services: tuple[str, ...], is_followed: bool, lines: int, times: bool
) -> None:
    """Print the logs of services, with the project's secrets masked.

    \b
    Examples:
      opsctl logs -e prod web --lines 50
      opsctl logs -e dev -f
    """

    def print_line(line: Line) -> None:
        session.output.event({"line": line.text}, line.text)

    session.left_behind = "nothing was changed"
    options = LogOptions(services, lines, follow=is_followed, with_times=times)
    print_logs(Observer(session.wiring), options, print_line, warn=session.output.note)
