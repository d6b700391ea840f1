"""`opsctl rollback`."""

import click

from opsctl.cli.click_classes import OpsctlCommand
from opsctl.cli.deploying.options import (
    allow_stateful_option,
    dry_run_option,
    exit_code_option,
    never_asks_option,
    wait_timeout_option,
)
from opsctl.cli.deploying.run import build_integrations, conclude_plan, lock_project, run_plan
from opsctl.cli.flags import lock_timeout
from opsctl.cli.session import Session, pass_session
from opsctl.cli.show.deploy import view_report
from opsctl.deploy.model import DeployOptions
from opsctl.deploy.observe import Observer
from opsctl.deploy.releases.rollback import prepare_rollback
from opsctl.deploy.up import wait_until_quiet


@click.command(cls=OpsctlCommand)
@click.argument("release", required=False)
@never_asks_option
@allow_stateful_option
@wait_timeout_option
@dry_run_option
@exit_code_option
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
    """Roll back to RELEASE, by default the previous one; works offline.

    RELEASE is a name from `opsctl history`, or the start of a commit. The schema does not change.
    An image that is gone is pulled by digest, or rebuilt from its commit.

    \b
    Examples:
      opsctl rollback -e prod -n            show the plan
      opsctl rollback -e prod               previous release
      opsctl rollback -e prod 3f9c2ab       release of a commit
    """
    options = DeployOptions(
        allow_stateful=allow_stateful, wait_timeout_s=wait_timeout_s, kind="rollback"
    )
    observer = Observer(session.wiring)
    integrations = build_integrations(session, migrate=False)
    if dry_run:
        run = prepare_rollback(observer, release, options, integrations)
        return conclude_plan(session, run, exit_code=exit_code)
    with lock_project(session, observer, wait_s=lock_timeout_s):
        wait_until_quiet(observer)
        report = run_plan(session, prepare_rollback(observer, release, options, integrations))
    return session.output.conclude(report, view_report(report))
