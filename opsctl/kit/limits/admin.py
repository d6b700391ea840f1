"""The use of rate limits over all processes, for `opsctl limits`, and how to reset it."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from opsctl.errors import OpsctlError, UsageError
from opsctl.kit.limits.rates import Rate, split_window
from opsctl.kit.limits.script import FORGET
from opsctl.kit.limits.state import registry_key
from opsctl.systems.redis.client import Redis
from opsctl.systems.redis.glob import literal

_MICROS = 1_000_000
_MOST_SHOWN = 1000


@dataclass(frozen=True, slots=True)
class LimitUse:
    """The use of one limit by one subject, on the server's clock."""

    name: str
    subject: str
    limit: int | None
    """None when no service has registered this limit."""
    window_s: float | None
    used: int
    """Calls granted within the last window."""
    reserved: int
    """Places that waiting callers have reserved."""
    next_in_s: float
    """Until the next call would be allowed."""


@dataclass(frozen=True, slots=True)
class LimitsReport:
    prefix: str
    limits: tuple[LimitUse, ...]
    left_out: int = 0
    """Subjects beyond the first thousand."""


@dataclass(frozen=True, slots=True)
class LimitResetPlan:
    """What a reset forgets; afterwards a whole limit of calls may be made at once."""

    name: str
    keys: tuple[str, ...]
    forgotten: int = 0


def read_limits(redis: Redis, prefix: str) -> LimitsReport:
    """Read every log under the prefix, without KEYS and without changing anything."""
    rates = _read_registry(redis, prefix)
    stem = f"{prefix}:limit:"
    keys = sorted(_scan(redis, literal(stem) + "*"))
    now = _read_server_micros(redis)
    uses = [
        _read_use(redis.call("LRANGE", key, 0, -1), key.removeprefix(stem), rates=rates, now=now)
        for key in keys[:_MOST_SHOWN]
    ]
    busy = {use.name for use in uses}
    idle = [_unused(rate) for rate in rates.values() if rate.name not in busy]
    ordered = sorted((*uses, *idle), key=lambda use: (use.name, use.subject))
    return LimitsReport(prefix, tuple(ordered), max(0, len(keys) - _MOST_SHOWN))


def plan_reset(redis: Redis, prefix: str, name: str) -> LimitResetPlan:
    """Find the logs of one limit: NAME with all its subjects, or NAME:SUBJECT alone."""
    stem = f"{prefix}:limit:{name}"
    keys = {stem} if redis.call("TYPE", stem) == b"list" else set()
    keys |= set(_scan(redis, literal(stem) + ":*"))
    rates = _read_registry(redis, prefix)
    if not keys and name.partition(":")[0] not in rates:
        hint = f"Use one of {', '.join(rates)}." if rates else "No service has used one yet."
        raise UsageError(f"cannot find the limit {name!r} under {prefix}", hint=hint)
    return LimitResetPlan(name, tuple(sorted(keys)))


def forget_calls(redis: Redis, plan: LimitResetPlan) -> LimitResetPlan:
    forgotten = sum(int(redis.call("EVAL", FORGET.text, 1, key)) for key in plan.keys)
    return LimitResetPlan(plan.name, plan.keys, forgotten)


def _read_use(log: Sequence[bytes], label: str, *, rates: Mapping[str, Rate], now: int) -> LimitUse:
    name, _, subject = label.partition(":")
    rate = rates.get(name)
    split = split_window(rate) if rate else None
    window = split.window_s * _MICROS if split else now
    moments = [moment for moment in map(int, log) if moment > now - window]
    free_at = moments[-split.limit] + window if split and len(moments) >= split.limit else now
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


def _unused(rate: Rate) -> LimitUse:
    return LimitUse(rate.name, "", rate.limit, rate.window_s, used=0, reserved=0, next_in_s=0.0)


def _read_registry(redis: Redis, prefix: str) -> Mapping[str, Rate]:
    """Read the limits that services have registered; anything else is left out."""
    flat = redis.call("HGETALL", registry_key(prefix))
    names, texts = (tuple(word.decode(errors="replace") for word in flat[n::2]) for n in (0, 1))
    rates: dict[str, Rate] = {}
    for name, text in zip(names, texts, strict=True):
        with contextlib.suppress(OpsctlError):
            rates[name] = Rate.parse(name, f"{text}s")
    return rates


def _scan(redis: Redis, pattern: str) -> Iterator[str]:
    cursor = b"0"
    while True:
        cursor, keys = redis.call("SCAN", cursor, "MATCH", pattern, "COUNT", 1000, "TYPE", "list")
        yield from (key.decode(errors="replace") for key in keys)
        if cursor == b"0":
            return


def _read_server_micros(redis: Redis) -> int:
    seconds, micros = redis.call("TIME")
    return int(seconds) * _MICROS + int(micros)
