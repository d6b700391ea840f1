"""Cached keys and their removal, for `opsctl cache keys`, `delete` and `clear`."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from opsctl.kit.cache.keys import KeyNames
from opsctl.kit.cache.state import CacheOptions, CacheState
from opsctl.kit.cache.writes import unlink_pattern
from opsctl.kit.redis.effects import Effects, SendCommands
from opsctl.systems.clock import Clock
from opsctl.systems.redis.client import Redis

T = TypeVar("T")
_SCAN_BATCH = 1000


@dataclass(frozen=True, slots=True)
class CachedKey:
    key: str
    ttl_s: float | None
    """None: it has no TTL, and was not written by this cache."""
    bytes: int


@dataclass(frozen=True, slots=True)
class CacheKeys:
    keys: tuple[CachedKey, ...]
    whole: bool
    """False when there are more keys than requested."""


@dataclass(frozen=True, slots=True)
class CacheRemoval:
    """What would be removed, or has been."""

    pattern: str
    matching: int
    removed: int | None = None


def list_keys(redis: Redis, prefix: str, pattern: str, *, most: int) -> CacheKeys:
    """Scan in small batches until there are enough keys."""
    keys = KeyNames(prefix)
    names: list[bytes] = []
    for batch in _scan(redis, keys.value_pattern(pattern)):
        names += batch
        if len(names) > most:
            break
    shown = sorted(set(names))[:most]
    commands = [command for name in shown for command in (("PTTL", name), ("STRLEN", name))]
    replies = redis.batch(commands)
    cached = tuple(
        CachedKey(keys.key_of(name.decode(errors="replace")), _to_seconds(ttl), _to_size(size))
        for name, ttl, size in zip(shown, replies[::2], replies[1::2], strict=True)
    )
    return CacheKeys(cached, whole=len(names) <= most)


def plan_removal(redis: Redis, prefix: str, pattern: str) -> CacheRemoval:
    match = KeyNames(prefix).value_pattern(pattern)
    matching = sum(len(batch) for batch in _scan(redis, match))
    return CacheRemoval(pattern, matching)


def remove(redis: Redis, prefix: str, plan: CacheRemoval, clock: Clock) -> CacheRemoval:
    """Delete matching values in Redis and in the memory of every process."""
    state = CacheState(CacheOptions(prefix=prefix), clock, redis=True)
    return replace(plan, removed=_run_effects(redis, unlink_pattern(state, plan.pattern)))


def _run_effects(redis: Redis, effects: Effects[T]) -> T:
    try:
        effect = next(effects)
        while isinstance(effect, SendCommands):
            effect = effects.send(redis.batch(effect.commands))
    except StopIteration as done:
        return done.value  # type: ignore[no-any-return]  # StopIteration has no type
    raise TypeError(effect)


def _scan(redis: Redis, match: str) -> Iterator[list[bytes]]:
    cursor: Any = 0
    while True:
        cursor, names = redis.call("SCAN", cursor, "MATCH", match, "COUNT", _SCAN_BATCH)
        yield names
        if int(cursor) == 0:
            return


def _to_seconds(ttl_ms: Any) -> float | None:  # noqa: ANN401 - a reply of Redis
    return ttl_ms / 1000 if isinstance(ttl_ms, int) and ttl_ms >= 0 else None


def _to_size(size: Any) -> int:  # noqa: ANN401 - same
    return size if isinstance(size, int) else 0
