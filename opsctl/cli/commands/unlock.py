"""`opsctl unlock`."""

import click

from opsctl.cli.click_classes import OpsctlCommand
from opsctl.cli.deploying.manual_lock import change_manual_lock
from opsctl.cli.deploying.options import dry_run_option, never_asks_option
from opsctl.cli.session import Session, pass_session
from opsctl.deploy.locking.manual_lock import plan_unlock


@click.command(cls=OpsctlCommand)
@never_asks_option
@dry_run_option
@pass_session
def unlock(session: Session, *, yes: bool, dry_run: bool) -> int:  # noqa: ARG001 - it never asks
    """Allow the deploys of an environment again, whoever locked it.

    Prints who had locked it and why. It does not touch the lock of a deploy that is in progress.

    \b
    Examples:
      opsctl unlock -e prod
      opsctl unlock -e prod -n       show what would be lifted
    """
    return change_manual_lock(session, plan_unlock, dry_run=dry_run)
