"""Records the level of each mount, so that a problem is reported once; goes on if it cannot."""

from collections.abc import Iterable, Sequence

from opsctl.disk.context import DiskContext
from opsctl.errors import OpsctlError
from opsctl.findings import Finding, Level
from opsctl.health_rules.disk import SPACE, check_name
from opsctl.logs import logger
from opsctl.notify.model import Notice, Severity
from opsctl.state.model import Sample
from opsctl.systems.host import Usage

log = logger(__name__)
TOPIC = "disk"
SERIES = "disk.percent:"
_SEVERITIES = {
    Level.WARNING: Severity.WARNING,
    Level.UNKNOWN: Severity.WARNING,
    Level.CRITICAL: Severity.CRITICAL,
}


def previous_level(context: DiskContext, key: str) -> Level:
    """Return the previous level of a key; OK if it was not raised or is unknown."""
    try:
        alert = context.store.alerts.find(key)
    except OpsctlError:
        return Level.OK
    return Level(alert.severity) if alert is not None and alert.raised else Level.OK


def record_samples(context: DiskContext, measured: Sequence[Usage]) -> None:
    """Record a sample of each mount for the trend."""
    now = context.clock.now()
    try:
        for usage in measured:
            series = f"{SERIES}{usage.mount}"
            context.store.samples.record(Sample(series, now, usage.percent))
            context.store.samples.thin(series, now=now)
    except OpsctlError as error:
        log.warning("sample not recorded", extra={"why": error.why})


def report_findings(
    context: DiskContext, findings: Iterable[Finding], *, topic: str = TOPIC
) -> None:
    """WorkerReport each problem, resolve what is measured to be OK; unknown resolves nothing."""
    for finding in findings:
        key = alert_key(finding)
        _record_alert(context, key, finding)
        severity = _SEVERITIES.get(finding.level)
        if severity is None:
            context.notifier.resolve(key, topic=topic, evidence=f"{finding.check}: {finding.what}")
        else:
            summary = f"{finding.check}: {finding.what}"
            context.notifier.report(Notice(key, topic, severity, summary, finding.fix))


def check_key(check: str) -> str:
    return check.replace(" ", ":")


def alert_key(finding: Finding) -> str:
    """Give an unmeasured mount a key of its own: it is another problem than a full one."""
    key = check_key(finding.check)
    return f"{key}:answer" if finding.level is Level.UNKNOWN else key


def _record_alert(context: DiskContext, key: str, finding: Finding) -> None:
    now = context.clock.now()
    try:
        if finding.level is Level.OK:
            context.store.alerts.clear(key, at=now)
        else:
            context.store.alerts.raise_alert(
                key, severity=finding.level, summary=finding.what, at=now
            )
    except OpsctlError as error:
        log.warning("alert not recorded", extra={"key": key, "why": error.why})


def resolve_unmeasured(context: DiskContext, usage: Usage) -> None:
    """Resolve the alert that a mount did not answer: it was measured now."""
    key = check_key(f"{check_name(usage.mount, SPACE)}:answer")
    _record_alert(context, key, Finding(key, Level.OK, "it answers"))
    context.notifier.resolve(key, topic=TOPIC, evidence=f"disk {usage.mount}: it answers again")
