"""`opsctl lock`."""

import click

from opsctl.cli.click_classes import OpsctlCommand
from opsctl.cli.deploying.manual_lock import change_manual_lock
from opsctl.cli.deploying.options import dry_run_option, never_asks_option
from opsctl.cli.session import Session, pass_session
from opsctl.deploy.locking.manual_lock import plan_lock


@click.command(cls=OpsctlCommand)
@click.argument("message")
@never_asks_option
@dry_run_option
@pass_session
def lock(session: Session, *, message: str, yes: bool, dry_run: bool) -> int:  # noqa: ARG001 - it never asks
    """Block the deploys of an environment, and say why.

    Until `opsctl unlock`, `up`, `rollback`, `restart`, `down` and `prune` are refused (exit 5) for
    every user of this engine. A deploy that is in progress goes on. Exit 5: someone else has locked
    it already. `opsctl status` shows who, since when and why.

    \b
    Examples:
      opsctl lock -e prod "restoring a backup until 14:00"
      opsctl lock -e prod "waiting for the new disk" -n
    """
    return change_manual_lock(session, lambda context: plan_lock(context, message), dry_run=dry_run)
