"""`opsctl limits`."""

import click

from opsctl.cli.click_classes import CommandGroup
from opsctl.cli.confirm import confirm, confirm_by_name
from opsctl.cli.session import Session, pass_session
from opsctl.cli.show.text import Block, Table
from opsctl.errors import UnreachableError
from opsctl.kit.limits.admin import (
    LimitResetPlan,
    LimitsReport,
    LimitUse,
    forget_calls,
    plan_reset,
    read_limits,
)
from opsctl.systems.redis.client import Redis


@click.group(cls=CommandGroup)
def limits() -> None:
    """Inspect and reset the rate limits that all processes share."""


@limits.command()
@click.option("--prefix", help="First part of the keys (default: limits.prefix).")
@pass_session
def show(session: Session, *, prefix: str | None) -> int:
    """Show how much of each limit is used and when the next call may go out.

    Counts the calls of every process that shares the limits. Exit 7 if Redis is disabled or
    unreachable.
    """
    report = read_limits(_redis(session), prefix or session.wiring.settings.limits.prefix)
    return session.output.conclude(report, _view(report))


@limits.command("reset")
@click.argument("name")
@click.option("-n", "--dry-run", is_flag=True, help="Show what would be reset; change nothing.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask; in prod give --confirm prod.")
@click.option(
    "--confirm", "confirmed", metavar="ENV", help="Answer the confirmation that prod asks for."
)
@pass_session
def reset_limit(
    session: Session,
    *,
    name: str,
    dry_run: bool,
    yes: bool,
    confirmed: str | None,
) -> int:
    """Reset the count of a limit: NAME, or NAME:SUBJECT for one subject.

    Up to a full limit of calls may then follow those just made, and the other side may refuse them.
    """
    redis = _redis(session)
    plan = plan_reset(redis, session.wiring.settings.limits.prefix, name)
    if dry_run or not plan.keys:
        return session.output.conclude(plan, _plan_view(plan))
    _ask(session, plan, yes=yes, confirmed=confirmed)
    with session.audited_change(name, lock="limits", wait_s=0.0):
        done = forget_calls(redis, plan)
    return session.output.conclude(done, _plan_view(done))


def _ask(session: Session, plan: LimitResetPlan, *, yes: bool, confirmed: str | None) -> None:
    question = f"Reset the count of {plan.name} ({len(plan.keys)} logs)?"
    if session.wiring.settings.env == "prod":
        confirm_by_name(session, question, name="prod", given=confirmed)
    else:
        confirm(session, question, yes=yes)


def _redis(session: Session) -> Redis:
    if not session.wiring.settings.redis.enabled:
        raise UnreachableError(
            "limits are not shared",
            why="REDIS_ENABLED is false, so each process keeps its own share",
            hint="Set redis.enabled to true.",
        )
    return session.wiring.redis


def _view(report: LimitsReport) -> list[Block]:
    if not report.limits:
        return [f"No service has used a limit under {report.prefix} yet."]
    head = ("limit", "subject", "rate", "used", "reserved", "next call in")
    rows = tuple(_row(use) for use in report.limits)
    more = [f"and {report.left_out} more"] if report.left_out else []
    return [Table(head, rows), *more]


def _row(use: LimitUse) -> tuple[str, ...]:
    rate = f"{use.limit}/{use.window_s:g}s" if use.limit else "not known"
    wait = f"{use.next_in_s:.3g} s" if use.next_in_s > 0 else "now"
    return (use.name, use.subject or "all", rate, str(use.used), str(use.reserved), wait)


def _plan_view(plan: LimitResetPlan) -> list[Block]:
    if not plan.keys:
        return [f"{plan.name}: nothing is counted now"]
    verb = f"forgot {plan.forgotten} calls" if plan.forgotten else "forget"
    return [f"{key}: {verb}" for key in plan.keys]
