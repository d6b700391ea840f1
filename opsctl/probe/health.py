"""Checks the health of a system, and waits until it is healthy."""

from collections.abc import Callable

from opsctl.errors import OpsctlError
from opsctl.findings import Finding, Level, worst_level
from opsctl.health_rules.redis import judge_redis
from opsctl.probe.model import HealthReport
from opsctl.probe.redis.measure import measure_redis
from opsctl.progress import Progress
from opsctl.settings.sections.probe import Probe
from opsctl.systems.clock import Clock
from opsctl.systems.redis.client import Redis

_PAUSE_S = 0.5


def check_redis(redis: Redis, rules: Probe, clock: Clock) -> HealthReport:
    """HealthReport on Redis; one that does not answer is a finding, not an error."""
    try:
        return HealthReport(judge_redis(measure_redis(redis, rules, clock), rules))
    except OpsctlError as error:
        return HealthReport((unreachable_finding("reachable", error),))


def disabled_report(what: str, setting: str) -> HealthReport:
    return HealthReport((Finding(what, Level.OK, f"turned off by {setting}; not checked"),))


def unreachable_finding(check: str, error: OpsctlError) -> Finding:
    what = f"{error.what}: {error.why}" if error.why else error.what
    return Finding(check, Level.CRITICAL, what, fix=error.hint)


def wait_until_healthy(
    ask: Callable[[], HealthReport], *, wait_s: float, clock: Clock, progress: Progress
) -> HealthReport:
    """Check until nothing is critical or the time is over; the last report counts.

    Warnings and hidden facts do not go away by waiting, so they are not waited for.
    """
    began = clock.steady()
    while True:
        report = ask()
        passed = clock.steady() - began
        if worst_level(_critical_findings(report)) is Level.OK or passed >= wait_s:
            return report
        first = _critical_findings(report)[0]
        progress.advance(round(passed), round(wait_s), f"{first.check}: {first.what}")
        clock.sleep(min(_PAUSE_S, wait_s - passed))


def _critical_findings(report: HealthReport) -> list[Finding]:
    return [finding for finding in report.findings if finding.level is Level.CRITICAL]
