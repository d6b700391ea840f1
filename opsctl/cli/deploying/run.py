"""Runs a prepared deploy: takes the locks, prints each step, shows plan and result."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import click

from opsctl.cli.deploying.migrations import find_migrator
from opsctl.cli.deploying.notifications import find_notifier
from opsctl.cli.session import Session
from opsctl.cli.show.deploy import view_plan
from opsctl.deploy.execute import execute
from opsctl.deploy.integrations import DeployIntegrations
from opsctl.deploy.locking.deploy_lock import deploy_lock, refuse_within_hook
from opsctl.deploy.model import DeployReport
from opsctl.deploy.observe import Observer
from opsctl.deploy.run import DeployRun
from opsctl.deploy.verify.data_checks import list_data_checks
from opsctl.errors import EXIT_OK, EXIT_PENDING


def build_integrations(session: Session, *, migrate: bool = True) -> DeployIntegrations:
    """Collect what a deploy calls in other capabilities."""
    return DeployIntegrations(
        report=LinePrinter(session),
        progress=session.progress,
        migrator=find_migrator(session) if migrate else None,
        notifier=find_notifier(session),
        data_checks=list_data_checks(session.wiring),
    )


class LinePrinter:
    """Prints a line on stderr, in place of a progress line that may be there."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def __call__(self, text: str) -> None:
        if sys.stderr.isatty() and not self._session.options.quiet:
            click.echo("\r\x1b[2K", nl=False, err=True)
        self._session.output.note(text)


@contextmanager
def lock_project(session: Session, observer: Observer, *, wait_s: float | None) -> Iterator[None]:
    """Lock the project here and on the engine, and record the action in the audit log."""
    target, wait_s = observer.context.target, wait_s or 0.0
    refuse_within_hook(observer.context)
    lock = f"deploy-{target.project}"
    with (
        session.audited_change(
            f"{target.project} on {target.engine_name}", lock=lock, wait_s=wait_s
        ),
        deploy_lock(observer.context, purpose=f"opsctl {session.command}", wait_s=wait_s),
    ):
        yield


def run_plan(session: Session, run: DeployRun) -> DeployReport:
    """Run a plan; if it is interrupted, the session says what is left behind."""
    for warning in run.plan.warnings:
        session.output.note(f"warning: {warning.what}")
    try:
        return execute(run)
    finally:
        session.left_behind = run.left_behind


def conclude_plan(session: Session, run: DeployRun, *, exit_code: bool) -> NoReturn:
    code = EXIT_PENDING if exit_code and not run.plan.is_idle else EXIT_OK
    session.output.conclude(run.plan, view_plan(run.plan), exit_code=code)
