"""`opsctl up`."""

from typing import Any

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
from opsctl.deploy.up import prepare_deploy, wait_until_quiet


@click.command(cls=OpsctlCommand)
@click.argument("services", nargs=-1)
@click.option("--build", is_flag=True, help="Build every image, changed or not.")
@click.option("--no-migrate", is_flag=True, help="Do not apply pending migrations.")
@click.option(
    "--allow-dirty", is_flag=True, help="Deploy uncommitted changes; the release records that."
)
@click.option(
    "--force-recreate",
    multiple=True,
    metavar="SERVICE",
    help="Recreate this service, changed or not; may be repeated.",
)
@never_asks_option
@allow_stateful_option
@wait_timeout_option
@dry_run_option
@exit_code_option
@lock_timeout
@pass_session
def up(
    session: Session,
    /,
    *,
    no_migrate: bool,
    yes: bool,  # noqa: ARG001 - a deploy never asks
    dry_run: bool,
    exit_code: bool,
    lock_timeout_s: float | None,
    **options: Any,  # noqa: ANN401 - what click read
) -> int:
    """Deploy the checked-out code; restore the previous release on failure.

    Builds or pulls images, applies pending migrations, starts what changed, and waits until every
    service is healthy. With SERVICES, deploys only those and what they depend on. A service that
    stays unhealthy or paused is repaired by `opsctl restart` or by --force-recreate.

    Exit 5: a preflight check refused. Exit 1: the deploy failed, and the previous release was
    restored. Exit 8: the restore failed too. Exit 75: another deploy is in progress.

    \b
    Examples:
      opsctl up -e prod -n          show the plan
      opsctl up -e prod             deploy everything
      opsctl up -e dev web          deploy one service
      opsctl up -e prod --force-recreate web
      opsctl up -e prod --json      print the result as JSON
    """
    deploy_options = _read_options(**options)
    observer = Observer(session.wiring)
    _ = observer.background_reads
    integrations = build_integrations(session, migrate=not no_migrate)
    if dry_run:
        run = prepare_deploy(observer, deploy_options, integrations)
        return conclude_plan(session, run, exit_code=exit_code)
    with lock_project(session, observer, wait_s=lock_timeout_s):
        wait_until_quiet(observer)
        report = run_plan(session, prepare_deploy(observer, deploy_options, integrations))
    return session.output.conclude(report, view_report(report))


def _read_options(
    *,
    services: tuple[str, ...],
    force_recreate: tuple[str, ...],
    **options: Any,  # noqa: ANN401
) -> DeployOptions:
    """Where services are named, those that are recreated are among them."""
    covered = (*services, *force_recreate) if services else ()
    return DeployOptions(services=covered, force_recreate=force_recreate, **options)
