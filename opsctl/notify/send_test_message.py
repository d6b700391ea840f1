"""`opsctl notify test`: sends a test message to one channel, or to each."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from opsctl.errors import UsageError
from opsctl.findings import Finding, Level
from opsctl.notify.model import AlertEvent, AlertMessage, Bundle, Channel, Severity
from opsctl.systems.clock import Clock


@dataclass(frozen=True, slots=True)
class ChannelTestReport:
    findings: tuple[Finding, ...]


def send_test_messages(
    channels: Sequence[Channel], name: str | None, *, where: str, clock: Clock, limit_s: float
) -> ChannelTestReport:
    """Send a test message, without the queue, to one channel or to each."""
    known = {channel.name: channel for channel in channels}
    if name is not None and name not in known:
        hint = f"Channels in the settings: {', '.join(known) or 'none'}. See docs/notify.md."
        raise UsageError(f"there is no channel {name}", hint=hint)
    chosen = [known[name]] if name else list(known.values())
    message = AlertMessage(
        key="notify:test",
        topic="notify",
        severity=Severity.INFO,
        event=AlertEvent.RAISED,
        summary="this is a test; nothing is wrong",
        at=clock.now(),
        where=where,
    )
    return ChannelTestReport(tuple(_send_test(channel, message, limit_s) for channel in chosen))


def _send_test(channel: Channel, message: AlertMessage, limit_s: float) -> Finding:
    result = channel.send(Bundle(uuid.uuid4().hex, (message,)), limit_s=limit_s)
    check = f"channel {channel.name}"
    if result.is_accepted:
        return Finding(check, Level.OK, "it accepted a test message")
    return Finding(check, Level.CRITICAL, result.error, fix="See docs/notify.md.")
