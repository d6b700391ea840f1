"""Reads values from Redis, and remembers them in memory."""

from collections.abc import Sequence

from opsctl.errors import OpsctlError
from opsctl.kit.cache.codec import read_stale_s
from opsctl.kit.cache.model import Backend, Payload, StoredValue
from opsctl.kit.cache.state import CacheState
from opsctl.kit.redis.effects import Effects

_HEADER_RANGE = (0, 9)


def get(state: CacheState, key: str) -> Effects[Payload | None]:
    """Read a value from Redis; None is a miss, or an error that was counted as one."""
    if not state.uses_redis:
        state.counts.misses += 1
        return None
    generation = state.memory.generation
    try:
        fresh = yield from _read_fresh(state, key)
    except OpsctlError as error:
        state.count_error(error)
        return None
    if fresh is None:
        state.counts.misses += 1
        return None
    stored, left_s = fresh
    state.counts.l2_hits += 1
    state.remember(key, stored, life_s=left_s, generation=generation)
    return stored.payload


def _read_fresh(state: CacheState, key: str) -> Effects[tuple[StoredValue, float] | None]:
    name = state.keys.value_key(key)
    if state.backend is Backend.REDIS:
        (raw,) = yield from state.send([("GET", name)])
        if raw is None:
            return None
        stored = state.codec.unwrap(raw)
        if not stored.stale_s:
            return stored, 0.0
        (left_ms,) = yield from state.send([("PTTL", name)])
    else:
        raw, left_ms = yield from state.send([("GET", name), ("PTTL", name)])
        if raw is None:
            return None
        stored = state.codec.unwrap(raw)
    return (stored, left_ms / 1000) if is_fresh(stored, left_ms) else None


def get_many(state: CacheState, keys: Sequence[str]) -> Effects[dict[str, Payload]]:
    if not state.uses_redis or not keys:
        state.counts.misses += len(keys)
        return {}
    generation = state.memory.generation
    names = [state.keys.value_key(key) for key in keys]
    try:
        raws, *left = yield from state.send([("MGET", *names), *(("PTTL", name) for name in names)])
    except OpsctlError as error:
        state.count_error(error)
        return {}
    payloads: dict[str, Payload] = {}
    for key, raw, left_ms in zip(keys, raws, left, strict=True):
        stored = _unwrap(state, raw)
        if stored is not None and is_fresh(stored, left_ms):
            payloads[key] = stored.payload
            state.remember(key, stored, life_s=left_ms / 1000, generation=generation)
    state.counts.l2_hits += len(payloads)
    state.counts.misses += len(keys) - len(payloads)
    return payloads


def _unwrap(state: CacheState, raw: bytes | None) -> StoredValue | None:
    try:
        return None if raw is None else state.codec.unwrap(raw)
    except OpsctlError as error:
        state.count_error(error)
        return None


def exists(state: CacheState, key: str) -> Effects[bool]:
    return (yield from remaining_ttl(state, key)) is not None


def remaining_ttl(state: CacheState, key: str) -> Effects[float | None]:
    """Return for how many seconds a value is still fresh, or None where there is none."""
    if state.uses_memory:
        left_s = state.memory.left_s(key)
        if not state.uses_redis or state.redis_unavailable:
            return left_s
    name = state.keys.value_key(key)
    try:
        head, left_ms = yield from state.send([("GETRANGE", name, *_HEADER_RANGE), ("PTTL", name)])
    except OpsctlError as error:
        state.count_error(error)
        return None
    left_s = left_ms / 1000 - read_stale_s(head)
    return left_s if left_s > 0 else None


def is_fresh(stored: StoredValue, left_ms: int) -> bool:
    """Decide by the remaining TTL in Redis; -1 is a key without an expiry."""
    return left_ms == -1 or left_ms / 1000 > stored.stale_s
