"""`opsctl history`."""

from dataclasses import dataclass

import click

from opsctl.cli.click_classes import OpsctlCommand
from opsctl.cli.session import Session, pass_session
from opsctl.cli.show.deploy import view_history
from opsctl.deploy.model import RecordedRelease
from opsctl.deploy.releases.release_log import ReleaseLog


@dataclass(frozen=True, slots=True)
class ReleaseHistory:
    env: str
    releases: tuple[RecordedRelease, ...]


@click.command(cls=OpsctlCommand)
@click.option(
    "--limit",
    type=click.IntRange(1, 1000),
    default=20,
    show_default=True,
    help="Number of releases, newest first.",
)
@pass_session
def history(session: Session, *, limit: int) -> int:
    """List the releases of an environment, newest first.

    \b
    Examples:
      opsctl history -e prod
      opsctl history -e prod --limit 1 --json
    """
    wiring = session.wiring
    env = wiring.settings.env
    log = ReleaseLog(wiring.store.releases, wiring.clock, env)
    report = ReleaseHistory(env, log.recent(limit))
    return session.output.conclude(report, view_history(report.releases))
