"""What limiters hold now, over all processes; and how to forget it."""

import contextlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from opsctl.errors import OpsctlError, UsageError
from opsctl.kit.limit_counts import registry_of
from opsctl.kit.limit_script import FORGET
from opsctl.kit.rates import Rate, as_kept
from opsctl.systems.redis.client import Redis

_MICROS = 1_000_000
_MOST_SHOWN = 1000


@dataclass(frozen=True, slots=True)
class LimitUse:
    """One limiter's log, on the server's clock."""

    name: str
    subject: str
    limit: int | None
    """None when no service has told of this limit."""
    window_s: float | None
    used: int
    """Calls granted within the last window."""
    reserved: int
    """Places that waiting callers have taken ahead."""
    next_in_s: float
    """Until the next call would be allowed."""


@dataclass(frozen=True, slots=True)
class LimitsReport:
    prefix: str
    limits: tuple[LimitUse, ...]
    left_out: int = 0
    """Subjects beyond the first thousand."""


@dataclass(frozen=True, slots=True)
class ResetPlan:
    """What a reset forgets: as many calls may then be made at once as the limit allows."""

    name: str
    keys: tuple[str, ...]
    forgotten: int = 0


def read_limits(redis: Redis, prefix: str) -> LimitsReport:
    """Read every log under the prefix; never KEYS, and nothing is changed."""
    rates = _announced(redis, prefix)
    stem = f"{prefix}:limit:"
    keys = sorted(_scan(redis, _literal(stem) + "*"))
    now = _server_micros(redis)
    uses = [
        _use(redis.call("LRANGE", key, 0, -1), key.removeprefix(stem), rates=rates, now=now)
        for key in keys[:_MOST_SHOWN]
    ]
    busy = {use.name for use in uses}
    idle = [_idle(rate) for rate in rates.values() if rate.name not in busy]
    ordered = sorted((*uses, *idle), key=lambda use: (use.name, use.subject))
    return LimitsReport(prefix, tuple(ordered), max(0, len(keys) - _MOST_SHOWN))


def plan_reset(redis: Redis, prefix: str, name: str) -> ResetPlan:
    """Find the logs of one limit: NAME with all its subjects, or NAME:SUBJECT alone."""
    stem = f"{prefix}:limit:{name}"
    keys = {stem} if redis.call("TYPE", stem) == b"list" else set()
    keys |= set(_scan(redis, _literal(stem) + ":*"))
    rates = _announced(redis, prefix)
    if not keys and name.partition(":")[0] not in rates:
        known = f"Known are {', '.join(rates)}." if rates else "No service has used one yet."
        raise UsageError(f"there is no limit {name!r} under {prefix}", hint=known)
    return ResetPlan(name, tuple(sorted(keys)))


def reset(redis: Redis, plan: ResetPlan) -> ResetPlan:
    forgotten = sum(int(redis.call("EVAL", FORGET.text, 1, key)) for key in plan.keys)
    return ResetPlan(plan.name, plan.keys, forgotten)


def _use(log: Sequence[bytes], label: str, *, rates: Mapping[str, Rate], now: int) -> LimitUse:
    name, _, subject = label.partition(":")
    rate = rates.get(name)
    kept = as_kept(rate) if rate else None
    window = kept.window_s * _MICROS if kept else now
    moments = [moment for moment in map(int, log) if moment > now - window]
    free_at = moments[-kept.limit] + window if kept and len(moments) >= kept.limit else now
    reserved = sum(moment > now for moment in moments)
    return LimitUse(
        name,
        subject,
        limit=rate.limit if rate else None,
        window_s=rate.window_s if rate else None,
        used=len(moments) - reserved,
        reserved=reserved,
        next_in_s=round((free_at - now) / _MICROS, 6),
    )


def _idle(rate: Rate) -> LimitUse:
    return LimitUse(rate.name, "", rate.limit, rate.window_s, used=0, reserved=0, next_in_s=0.0)


def _announced(redis: Redis, prefix: str) -> Mapping[str, Rate]:
    """Read what services have told of their limits; what is not theirs is left out."""
    flat = redis.call("HGETALL", registry_of(prefix))
    names, texts = (tuple(word.decode(errors="replace") for word in flat[n::2]) for n in (0, 1))
    found: dict[str, Rate] = {}
    for name, text in zip(names, texts, strict=True):
        with contextlib.suppress(OpsctlError):
            found[name] = Rate.parse(name, f"{text}s")
    return found


def _scan(redis: Redis, pattern: str) -> Iterator[str]:
    cursor = b"0"
    while True:
        cursor, keys = redis.call("SCAN", cursor, "MATCH", pattern, "COUNT", 1000, "TYPE", "list")
        yield from (key.decode(errors="replace") for key in keys)
        if cursor == b"0":
            return


def _server_micros(redis: Redis) -> int:
    seconds, micros = redis.call("TIME")
    return int(seconds) * _MICROS + int(micros)


def _literal(text: str) -> str:
    """Take the meaning from Redis's wildcards."""
    return re.sub(r"([*?\[\]\\])", r"\\\1", text)
