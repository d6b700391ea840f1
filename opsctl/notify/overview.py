"""`opsctl notify list` and `test`: what waits, what was told, and whether a channel works."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from opsctl.errors import UsageError
from opsctl.findings import Finding, Level
from opsctl.notify.model import Bundle, Channel, Message, Outbox, Queued, Said, Severity
from opsctl.systems.clock import Clock


@dataclass(frozen=True, slots=True)
class Letter:
    """One message in the queue, or out of it, fit to be shown."""

    number: int
    channel: str
    status: str
    severity: str
    said: str
    summary: str
    made_at: datetime
    due_at: datetime
    ended_at: datetime | None
    attempts: int
    trouble: str


@dataclass(frozen=True, slots=True)
class Overview:
    findings: tuple[Finding, ...]
    channels: tuple[str, ...]
    letters: tuple[Letter, ...]


@dataclass(frozen=True, slots=True)
class Tested:
    findings: tuple[Finding, ...]


def overview(outbox: Outbox, channels: Sequence[str], *, now: datetime, limit: int) -> Overview:
    """List what waits, then what ended last; a channel that fails is a finding."""
    waiting, ended = outbox.pending(), outbox.ended(limit=limit)
    findings = [_channel_finding(name, waiting, now) for name in channels]
    lost = sorted({entry.channel for entry in waiting} - set(channels))
    findings += [
        Finding(f"channel {name}", Level.WARNING, "messages wait for it, and it is not set up")
        for name in lost
    ]
    letters = tuple(_letter(entry) for entry in (*waiting, *ended))
    return Overview(tuple(findings), tuple(channels), letters)


def _channel_finding(name: str, waiting: Sequence[Queued], now: datetime) -> Finding:
    mine = [entry for entry in waiting if entry.channel == name and entry.due_at <= now]
    troubled = next((entry for entry in mine if entry.trouble), None)
    if troubled is None:
        return Finding(f"channel {name}", Level.OK, f"{len(mine)} due")
    what = f"{len(mine)} due since {mine[0].due_at:%Y-%m-%d %H:%M} UTC: {troubled.trouble}"
    return Finding(f"channel {name}", Level.WARNING, what, fix=f"Try it: opsctl notify test {name}")


def _letter(entry: Queued) -> Letter:
    return Letter(
        number=entry.number,
        channel=entry.channel,
        status=entry.status,
        severity=str(entry.message["severity"]),
        said=str(entry.message["said"]),
        summary=str(entry.message["summary"]),
        made_at=entry.made_at,
        due_at=entry.due_at,
        ended_at=entry.ended_at,
        attempts=entry.attempts,
        trouble=entry.trouble or "",
    )


def try_out(
    channels: Sequence[Channel], name: str | None, *, where: str, clock: Clock, limit_s: float
) -> Tested:
    """Send a word past the queue to one channel, or to each."""
    known = {channel.name: channel for channel in channels}
    if name is not None and name not in known:
        hint = f"Set up are: {', '.join(known) or 'none'}. docs/notify.md says how to add one."
        raise UsageError(f"there is no channel {name}", hint=hint)
    chosen = [known[name]] if name else list(known.values())
    message = Message(
        key="notify:test",
        topic="notify",
        severity=Severity.INFO,
        said=Said.RAISED,
        summary="this is a test; nothing is wrong",
        at=clock.now(),
        where=where,
    )
    return Tested(tuple(_tried(channel, message, limit_s) for channel in chosen))


def _tried(channel: Channel, message: Message, limit_s: float) -> Finding:
    answer = channel.send(Bundle(uuid.uuid4().hex, (message,)), limit_s=limit_s)
    check = f"channel {channel.name}"
    if answer.is_taken:
        return Finding(check, Level.OK, "it took a test message")
    return Finding(check, Level.CRITICAL, answer.trouble, fix="See docs/notify.md.")
