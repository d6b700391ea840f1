"""`opsctl exec`."""

import sys

import click

from opsctl.cli.click_classes import OpsctlCommand
from opsctl.cli.session import Session, pass_session
from opsctl.deploy.observe import Observer
from opsctl.deploy.services.exec import prepare_exec


@click.command("exec", cls=OpsctlCommand)
@click.option(
    "--index", type=click.IntRange(1), help="Which container of a service that has several."
)
@click.argument("service")
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
@pass_session
def exec_in_service(
    session: Session, *, index: int | None, service: str, command: tuple[str, ...]
) -> int:
    """Run a command in a running service; exit with its code.

    It gets stdin, and a terminal when there is one on both sides. Who ran what and when is recorded
    in the audit, with the project's secrets masked. Works while a deploy is in progress, and while
    the environment is locked.

    Exit 2: the service has several containers, and --index was not given. Exit 5: this checkout is
    an experiment, in production.

    \b
    Examples:
      opsctl exec -e dev web -- sh
      opsctl exec -e prod postgres -- psql -U app -c 'SELECT now()'
      opsctl exec -e prod --index 2 web -- env
      opsctl exec -e dev postgres -- psql -U app < seed.sql
    """
    has_terminal = sys.stdin.isatty() and sys.stdout.isatty()
    wiring = session.wiring
    prepared = prepare_exec(
        Observer(wiring), service, command, index=index, has_terminal=has_terminal
    )
    details = {"service": service, "command": prepared.description}
    with session.audited_action(f"{prepared.container} on {wiring.target.engine_name}", details):
        return wiring.processes.attach(prepared.command)
