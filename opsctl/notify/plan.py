"""Decides who is told what, and when: pure, and from what a key's readers know."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo
from fnmatch import fnmatchcase
from typing import NamedTuple

from opsctl.notify.model import Packed, Said, Severity


@dataclass(frozen=True, slots=True)
class Told:
    """What was told of a key, or will be, and when."""

    said: Said
    severity: Severity
    at: datetime


@dataclass(frozen=True, slots=True)
class Memory:
    """What a key's readers know; `pending` is planned, and can still be taken back."""

    told: Told | None = None
    pending: Told | None = None
    raised: bool = False


@dataclass(frozen=True, slots=True)
class Rules:
    repeat: timedelta
    quiet_minutes: tuple[int, int] | None
    """From which minute of the day to which; over midnight where the end comes first."""
    zone: tzinfo


@dataclass(frozen=True, slots=True)
class Verdict:
    memory: Memory
    withdraw: bool = False
    due_at: datetime | None = None
    """When to tell it; None means not at all."""


class Way(NamedTuple):
    """From which severity on, about what, to which channels."""

    severity: str
    topic: str
    channels: tuple[str, ...]


def channels_for(
    severity: Severity, topic: str, *, routes: Iterable[Way], known: Iterable[str]
) -> tuple[str, ...]:
    """Collect the channels of every route that fits, each once, as far as they are set up."""
    wanted = {
        name
        for route in routes
        if severity.rank >= Severity(route.severity).rank and fnmatchcase(topic, route.topic)
        for name in route.channels
    }
    return tuple(name for name in known if name in wanted)


def on_raise(memory: Memory, severity: Severity, *, now: datetime, rules: Rules) -> Verdict:
    """Tell a new trouble, a rise, or one that still stands when its interval is over."""
    known = replace(_settled(memory, now), raised=True)
    told = known.told
    if told is None:
        return _tell(known, Told(Said.RAISED, severity, now), rules)
    is_rise = told.said is Said.RAISED and severity.rank > told.severity.rank
    if is_rise or now >= told.at + rules.repeat:
        return _tell(known, Told(Said.RAISED, severity, now), rules)
    if told.said is Said.RAISED:
        # Its readers know already; a word of its end that has not gone out is wrong by now.
        return Verdict(replace(known, pending=None), withdraw=known.pending is not None)
    return _tell(known, Told(Said.RAISED, severity, told.at + rules.repeat), rules)


def on_resolve(memory: Memory, *, now: datetime, rules: Rules) -> Verdict:
    """Tell the end of what was told, and of nothing else."""
    known = replace(_settled(memory, now), raised=False)
    told = known.told
    if told is None or told.said is Said.RESOLVED:
        return Verdict(replace(known, pending=None), withdraw=known.pending is not None)
    if known.pending is not None and known.pending.said is Said.RESOLVED:
        return Verdict(known)
    at = max(now, told.at + rules.repeat)
    return _tell(known, Told(Said.RESOLVED, told.severity, at), rules)


def _tell(known: Memory, wanted: Told, rules: Rules) -> Verdict:
    due = wanted.at if wanted.severity is Severity.CRITICAL else after_quiet(wanted.at, rules)
    planned = replace(wanted, at=due)
    if known.pending == planned:
        return Verdict(known)
    return Verdict(replace(known, pending=planned), withdraw=known.pending is not None, due_at=due)


def _settled(memory: Memory, now: datetime) -> Memory:
    """What was planned for a time that has come is told: it can be taken back no more."""
    if memory.pending is not None and memory.pending.at <= now:
        return replace(memory, told=memory.pending, pending=None)
    return memory


def after_quiet(at: datetime, rules: Rules) -> datetime:
    """Move a moment to the end of the quiet hours that it falls into."""
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


def wait_after(failures: int, *, first_s: float, most_s: float, asked_s: float | None) -> float:
    """Double the wait with each failure; never come back before the channel asked for it."""
    doubled = min(most_s, first_s * 2.0 ** min(failures - 1, 40))
    return max(doubled, asked_s or 0.0)


def packed(memory: Memory) -> Packed:
    told, pending = memory.told, memory.pending
    return {
        "raised": memory.raised,
        "told": [told.said, told.severity, told.at.isoformat()] if told else None,
        "pending": [pending.said, pending.severity, pending.at.isoformat()] if pending else None,
    }


def unpacked(kept: Packed | None) -> Memory:
    if kept is None:
        return Memory()
    return Memory(_told(kept["told"]), _told(kept["pending"]), bool(kept["raised"]))


def _told(kept: list[str] | None) -> Told | None:
    if kept is None:
        return None
    said, severity, at = kept
    return Told(Said(said), Severity(severity), datetime.fromisoformat(at))
