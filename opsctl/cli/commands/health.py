"""`opsctl health`."""

from typing import NoReturn

import click

from opsctl.cli.click_classes import CommandGroup
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
    help="Wait up to this long until nothing is critical, e.g. 60s.",
)


@click.group(cls=CommandGroup)
def health() -> None:
    """Check the health of the stack's systems."""


@health.command(formats=FORMATS)
@wait_option
@pass_session
def redis(session: Session, *, wait_s: float | None) -> int:
    """Check the health of Redis; exit 3 on problems.

    Covers latency, memory, clients, persistence, replication and keys. The thresholds are in
    section `probe` of the settings. No query can stall the server.

    \b
    Examples:
      opsctl health redis
      opsctl health redis --wait 60s
      opsctl health redis -o nagios
    """
    wiring = session.wiring
    rules = wiring.settings.probe
    if not wiring.settings.redis.enabled:
        return _conclude(session, disabled_report("redis", "redis.enabled"))
    report = wait_until_healthy(
        lambda: check_redis(wiring.redis, rules, wiring.clock),
        wait_s=wait_s or 0.0,
        clock=wiring.clock,
        progress=session.progress,
    )
    return _conclude(session, report)


def _conclude(session: Session, report: HealthReport) -> NoReturn:
    session.output.conclude(report, view_findings(report))


def view_findings(report: HealthReport) -> list[Block]:
    rows = tuple((f.check, f.level.value, f.what) for f in report.findings)
    fixes = [f"{f.check}: {f.fix}" for f in report.findings if f.fix and f.level is not Level.OK]
    return [Table(("check", "", "finding"), rows), *(["\nTo fix:"] if fixes else []), *fixes]
