"""Decides who gets which message, and when: pure, from what was sent for a key before."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo
from fnmatch import fnmatchcase

from opsctl.notify.model import AlertEvent, JsonObject, Severity
from opsctl.settings.sections.notify import Route


@dataclass(frozen=True, slots=True)
class Announcement:
    """What was sent for a key, or will be, and when."""

    event: AlertEvent
    severity: Severity
    at: datetime


@dataclass(frozen=True, slots=True)
class AlertHistory:
    """What was sent for a key; `pending` is planned, and can still be withdrawn."""

    sent: Announcement | None = None
    pending: Announcement | None = None
    is_raised: bool = False


@dataclass(frozen=True, slots=True)
class NotifyRules:
    repeat: timedelta
    quiet_minutes: tuple[int, int] | None
    """First and last minute of the day; past midnight where the last comes first."""
    zone: tzinfo


@dataclass(frozen=True, slots=True)
class NotifyDecision:
    history: AlertHistory
    withdraw: bool = False
    due_at: datetime | None = None
    """When to send it; None means not at all."""


def select_channels(
    severity: Severity, topic: str, *, routes: Iterable[Route], known: Iterable[str]
) -> tuple[str, ...]:
    """Collect the channels of every matching route, each once, if they are set up."""
    wanted = {
        name
        for route in routes
        if severity.rank >= Severity(route.severity).rank and fnmatchcase(topic, route.topic)
        for name in route.channels
    }
    return tuple(name for name in known if name in wanted)


def decide_raised(
    history: AlertHistory, severity: Severity, *, now: datetime, rules: NotifyRules
) -> NotifyDecision:
    """Send a new problem, a rise in severity, or one still open after its interval."""
    known = replace(_count_due_as_sent(history, now), is_raised=True)
    sent = known.sent
    if sent is None:
        return _schedule(known, Announcement(AlertEvent.RAISED, severity, now), rules)
    is_rise = sent.event is AlertEvent.RAISED and severity.rank > sent.severity.rank
    if is_rise or now >= sent.at + rules.repeat:
        return _schedule(known, Announcement(AlertEvent.RAISED, severity, now), rules)
    if sent.event is AlertEvent.RAISED:
        # Already reported; a planned "resolved" that has not gone out is wrong by now.
        return NotifyDecision(replace(known, pending=None), withdraw=known.pending is not None)
    return _schedule(
        known, Announcement(AlertEvent.RAISED, severity, sent.at + rules.repeat), rules
    )


def decide_resolved(history: AlertHistory, *, now: datetime, rules: NotifyRules) -> NotifyDecision:
    """Send the end of a problem that was sent, and of no other."""
    known = replace(_count_due_as_sent(history, now), is_raised=False)
    sent = known.sent
    if sent is None or sent.event is AlertEvent.RESOLVED:
        return NotifyDecision(replace(known, pending=None), withdraw=known.pending is not None)
    if known.pending is not None and known.pending.event is AlertEvent.RESOLVED:
        return NotifyDecision(known)
    at = max(now, sent.at + rules.repeat)
    return _schedule(known, Announcement(AlertEvent.RESOLVED, sent.severity, at), rules)


def _schedule(known: AlertHistory, wanted: Announcement, rules: NotifyRules) -> NotifyDecision:
    is_urgent = wanted.severity is Severity.CRITICAL
    due = wanted.at if is_urgent else skip_quiet_hours(wanted.at, rules)
    planned = replace(wanted, at=due)
    if known.pending == planned:
        return NotifyDecision(known)
    return NotifyDecision(
        replace(known, pending=planned), withdraw=known.pending is not None, due_at=due
    )


def _count_due_as_sent(history: AlertHistory, now: datetime) -> AlertHistory:
    """Count what is due by now as sent: it can no longer be withdrawn."""
    if history.pending is not None and history.pending.at <= now:
        return replace(history, sent=history.pending, pending=None)
    return history


def skip_quiet_hours(at: datetime, rules: NotifyRules) -> datetime:
    """Move a time within quiet hours to their end."""
    if rules.quiet_minutes is None:
        return at
    begin, end = rules.quiet_minutes
    local = at.astimezone(rules.zone)
    minute = local.hour * 60 + local.minute
    is_quiet = begin <= minute < end if begin <= end else minute >= begin or minute < end
    if not is_quiet:
        return at
    day = local.date() + timedelta(days=1 if minute >= end else 0)
    over = datetime(day.year, day.month, day.day, end // 60, end % 60, tzinfo=rules.zone)
    return max(at, over.astimezone(at.tzinfo))


def retry_wait_s(failures: int, *, first_s: float, max_s: float, asked_s: float | None) -> float:
    """Double the wait with each failure; never retry before the channel asked for it."""
    doubled = min(max_s, first_s * 2.0 ** min(failures - 1, 40))
    return max(doubled, asked_s or 0.0)


def pack_history(history: AlertHistory) -> JsonObject:
    return {
        "raised": history.is_raised,
        "sent": _pack_announcement(history.sent),
        "pending": _pack_announcement(history.pending),
    }


def _pack_announcement(announcement: Announcement | None) -> list[str] | None:
    if announcement is None:
        return None
    return [announcement.event, announcement.severity, announcement.at.isoformat()]


def unpack_history(stored: JsonObject | None) -> AlertHistory:
    if stored is None:
        return AlertHistory()
    return AlertHistory(
        sent=_unpack_announcement(stored["sent"]),
        pending=_unpack_announcement(stored["pending"]),
        is_raised=bool(stored["raised"]),
    )


def _unpack_announcement(stored: list[str] | None) -> Announcement | None:
    if stored is None:
        return None
    event, severity, at = stored
    return Announcement(AlertEvent(event), Severity(severity), datetime.fromisoformat(at))
