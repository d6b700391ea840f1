"""`opsctl prune`."""

import click

from opsctl.cli.click_classes import OpsctlCommand
from opsctl.cli.confirm import confirm
from opsctl.cli.deploying.options import dry_run_option, exit_code_option
from opsctl.cli.deploying.run import LinePrinter, lock_project
from opsctl.cli.flags import lock_timeout
from opsctl.cli.session import Session, pass_session
from opsctl.cli.show.deploy import view_prune_plan, view_prune_report
from opsctl.deploy.observe import Observer
from opsctl.deploy.prune.prune import plan_prune, prune_engine
from opsctl.errors import EXIT_OK, EXIT_PENDING


@click.command(cls=OpsctlCommand)
@click.option(
    "--keep",
    type=click.IntRange(0, 50),
    help="Previous releases to keep; by default deploy.keep_releases.",
)
@click.option("-y", "--yes", is_flag=True, help="Remove without asking.")
@dry_run_option
@exit_code_option
@lock_timeout
@pass_session
def prune(
    session: Session,
    *,
    keep: int | None,
    yes: bool,
    dry_run: bool,
    exit_code: bool,
    lock_timeout_s: float | None,
) -> int:
    """Remove unused containers, networks, images and build cache.

    Keeps every volume, and the images of the current and the previous release. Checks that those
    images exist before it removes anything.

    \b
    Examples:
      opsctl prune -n              show what would be removed
      opsctl prune --yes
      opsctl prune --keep 3        keep three previous releases
    """
    observer = Observer(session.wiring)
    if dry_run:
        plan = plan_prune(observer, keep=keep)
        code = EXIT_PENDING if exit_code and plan.remove else EXIT_OK
        return session.output.conclude(plan, view_prune_plan(plan), exit_code=code)
    if not yes:
        items = plan_prune(observer, keep=keep).remove
        confirm(session, f"Remove {len(items)} items? (-n lists them)", yes=not items)
    with lock_project(session, observer, wait_s=lock_timeout_s):
        session.left_behind = "some unused items were removed; everything in use is still there"
        report = prune_engine(observer, report=LinePrinter(session), keep=keep)
    return session.output.conclude(report, view_prune_report(report))
