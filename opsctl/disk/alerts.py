"""Remembers how each mount stood, so that it is told once; a full disk forgets and goes on."""

from collections.abc import Iterable, Sequence

from opsctl.disk.context import Parts
from opsctl.disk.judge import SPACE
from opsctl.errors import OpsctlError
from opsctl.findings import Finding, Level
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


def stood(parts: Parts, key: str) -> Level:
    """Say how a key stood before; not raised, or not known, is fine."""
    try:
        alert = parts.store.alerts.find(key)
    except OpsctlError:
        return Level.OK
    return Level(alert.severity) if alert is not None and alert.raised else Level.OK


def recorded(parts: Parts, measured: Sequence[Usage]) -> None:
    """Keep a sample of each mount for the trend."""
    now = parts.clock.now()
    try:
        for usage in measured:
            series = f"{SERIES}{usage.mount}"
            parts.store.samples.record(Sample(series, now, usage.percent))
            parts.store.samples.thin(series, now=now)
    except OpsctlError as error:
        log.warning("sample not kept", extra={"why": error.why})


def tell(parts: Parts, findings: Iterable[Finding], *, topic: str = TOPIC) -> None:
    """Raise each trouble and clear what is measured to be well; what is unknown clears nothing."""
    for finding in findings:
        key = key_for(finding)
        _note(parts, key, finding)
        severity = _SEVERITIES.get(finding.level)
        if severity is None:
            parts.notifier.resolve(key, topic=topic, evidence=f"{finding.check}: {finding.what}")
        else:
            summary = f"{finding.check}: {finding.what}"
            parts.notifier.tell(Notice(key, topic, severity, summary, finding.fix))


def key_for(finding: Finding) -> str:
    """A mount that says nothing, and one that is full, are two troubles."""
    key = finding.check.replace(" ", ":")
    return f"{key}:answer" if finding.level is Level.UNKNOWN else key


def _note(parts: Parts, key: str, finding: Finding) -> None:
    now = parts.clock.now()
    try:
        if finding.level is Level.OK:
            parts.store.alerts.clear(key, at=now)
        else:
            parts.store.alerts.raise_alert(
                key, severity=finding.level, summary=finding.what, at=now
            )
    except OpsctlError as error:
        log.warning("alert not kept", extra={"key": key, "why": error.why})


def answered(parts: Parts, usage: Usage) -> None:
    """A mount that was measured has answered: that is the end of its silence."""
    key = f"disk:{usage.mount}:{SPACE}:answer"
    _note(parts, key, Finding(key, Level.OK, "it answers"))
    parts.notifier.resolve(key, topic=TOPIC, evidence=f"disk {usage.mount}: it answers again")
