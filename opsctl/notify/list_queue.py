"""`opsctl notify list`: which messages wait, which were sent, and which channel fails."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from opsctl.findings import Finding, Level
from opsctl.notify.model import Outbox, QueuedMessage


@dataclass(frozen=True, slots=True)
class ListedMessage:
    """One message that waits, or that was sent, rejected or withdrawn."""

    number: int
    channel: str
    status: str
    severity: str
    event: str
    summary: str
    made_at: datetime
    due_at: datetime
    ended_at: datetime | None
    attempts: int
    error: str


@dataclass(frozen=True, slots=True)
class QueueReport:
    findings: tuple[Finding, ...]
    channels: tuple[str, ...]
    messages: tuple[ListedMessage, ...]


def list_queue(
    outbox: Outbox, channels: Sequence[str], *, now: datetime, limit: int
) -> QueueReport:
    """List what waits, then what ended last; a channel that fails is a finding."""
    waiting, ended = outbox.pending(), outbox.ended(limit=limit)
    findings = [_channel_finding(name, waiting, now) for name in channels]
    removed = sorted({message.channel for message in waiting} - set(channels))
    findings += [
        Finding(
            f"channel {name}", Level.WARNING, "messages wait for it, but it is not in the settings"
        )
        for name in removed
    ]
    messages = tuple(_listed_message(message) for message in (*waiting, *ended))
    return QueueReport(tuple(findings), tuple(channels), messages)


def _channel_finding(name: str, waiting: Sequence[QueuedMessage], now: datetime) -> Finding:
    due = [message for message in waiting if message.channel == name and message.due_at <= now]
    failing = next((message for message in due if message.trouble), None)
    if failing is None:
        return Finding(f"channel {name}", Level.OK, f"{len(due)} due")
    what = f"{len(due)} due since {due[0].due_at:%Y-%m-%d %H:%M} UTC: {failing.trouble}"
    return Finding(
        f"channel {name}", Level.WARNING, what, fix=f"Test it: opsctl notify test {name}"
    )


def _listed_message(message: QueuedMessage) -> ListedMessage:
    return ListedMessage(
        number=message.number,
        channel=message.channel,
        status=message.status,
        severity=str(message.message["severity"]),
        event=str(message.message["event"]),
        summary=str(message.message["summary"]),
        made_at=message.made_at,
        due_at=message.due_at,
        ended_at=message.ended_at,
        attempts=message.attempts,
        error=message.trouble or "",
    )
