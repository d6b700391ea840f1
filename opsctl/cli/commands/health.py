"""`opsctl health`."""

import click

from opsctl.cli.click_classes import Branch
from opsctl.cli.flags import FORMATS, Duration
from opsctl.cli.session import Session, pass_session
from opsctl.cli.show.text import Block, Table
from opsctl.findings import Level
from opsctl.probe.health import check_redis, disabled_report, wait_until_healthy
from opsctl.probe.model import HealthReport

wait_option = click.option(
    "--wait",
    "wait_s",
    type=Duration(),
    help="Ask again until nothing is critical, at most this long, e.g. 60s.",
)


@click.group(cls=Branch)
def health() -> None:
    """Ask whether the stack's systems are well; exit 3 if one is not."""


@health.command(formats=FORMATS)
@wait_option
@pass_session
def redis(session: Session, *, wait_s: float | None) -> None:
    """Judge Redis: answer times, memory, clients, persistence, replicas, keys; exit 3 on trouble.

    The marks stand in section `probe` of the settings. Nothing it asks can stall the server.
    """
    wiring = session.wiring
    rules = wiring.settings.probe
    if not wiring.settings.redis.enabled:
        _conclude(session, disabled_report("redis", "redis.enabled"))
    report = wait_until_healthy(
        lambda: check_redis(wiring.redis, rules, wiring.clock),
        wait_s=wait_s or 0.0,
        clock=wiring.clock,
        progress=session.progress,
    )
    _conclude(session, report)


def _conclude(session: Session, report: HealthReport) -> None:
    session.output.conclude(report, view_findings(report))


def view_findings(report: HealthReport) -> list[Block]:
    rows = tuple((f.check, f.level.value, f.what) for f in report.findings)
    fixes = [f"{f.check}: {f.fix}" for f in report.findings if f.fix and f.level is not Level.OK]
    return [Table(("check", "", "finding"), rows), *(["\nTo mend it:"] if fixes else []), *fixes]
