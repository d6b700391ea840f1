"""What `lock` and `unlock` share: one change of the record, audited, and its result."""

from collections.abc import Callable
from typing import NoReturn

from opsctl.cli.session import Session
from opsctl.cli.show.text import Block
from opsctl.deploy.context import DeployContext
from opsctl.deploy.locking.manual_lock import LockReport, write_manual_lock


def change_manual_lock(
    session: Session, plan: Callable[[DeployContext], LockReport], *, dry_run: bool
) -> NoReturn:
    """Carry out what `plan` says; with a dry run only show it."""
    wiring = session.wiring
    if not dry_run:
        target = wiring.target
        with session.audited_action(f"{target.project} on {target.engine_name}"):
            report = plan(wiring)
            write_manual_lock(wiring, report)
    else:
        report = plan(wiring)
    session.output.conclude(report, _view(report))


def _view(report: LockReport) -> list[Block]:
    in_progress = [f"deploy in progress, which goes on: {report.holder}"] if report.holder else []
    lifted = [f"lifted: {report.lifted.description}"] if report.lifted else []
    title = f"{report.project} on {report.engine}: "
    if report.lock is not None:
        return [title + report.lock.description, *lifted, *in_progress]
    return [title + ("unlocked" if report.lifted else "it was not locked"), *lifted]
