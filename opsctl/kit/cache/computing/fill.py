"""Gets a missing value from Redis, computes it for all processes, or waits for one that does."""

import math
import uuid
from dataclasses import dataclass
from typing import Any

from opsctl.errors import OpsctlError
from opsctl.kit.cache.keys import CacheEvent
from opsctl.kit.cache.memory import MemoryEntry
from opsctl.kit.cache.model import Expiry, Payload, StoredValue
from opsctl.kit.cache.reads import is_fresh
from opsctl.kit.cache.scripts import CLAIM, RELEASE, STORE
from opsctl.kit.cache.state import CacheState
from opsctl.kit.chance import CHANCE
from opsctl.kit.redis.effects import CallFactory, Effects, RunScript, WaitForChange

# A process that receives events is woken by them; any other asks more often.
_WOKEN_PAUSE_S = 0.25
_FIRST_PAUSE_S = 0.05
_LONGEST_PAUSE_S = 0.5


@dataclass(frozen=True, slots=True)
class FillResult:
    """A payload, or a value that is too large to store; `stale` asks for a refresh."""

    payload: Payload | None
    value: Any = None
    stale: bool = False


class Computation:
    """One value that is being computed; whether its key was changed in the meantime."""

    changed_meanwhile = False


def fill(
    state: CacheState, key: str, expiry: Expiry, computation: Computation
) -> Effects[FillResult]:
    """Take the value from Redis, compute it for all, or wait for the process that does."""
    if not state.uses_redis:
        state.counts.misses += 1
        return (yield from _compute(state, key, expiry, computation, token=None))
    token = uuid.uuid4().hex
    until = state.now() + state.limits.wait_s
    pause_s = _WOKEN_PAUSE_S if state.listening else _FIRST_PAUSE_S
    missed = False
    while True:
        generation = state.memory.generation
        try:
            reply = yield from _claim(state, key, token)
        except OpsctlError as error:
            state.count_error(error)
            return (yield from _compute(state, key, expiry, computation, token=None))
        if isinstance(reply, list):
            result = _read_claimed(state, key, reply, expiry, generation=generation)
            if result is not None:
                return result
            locked = yield from _lock(state, key, token)
            used_token = token if locked else None
            return (yield from _compute(state, key, expiry, computation, token=used_token))
        state.counts.misses += not missed
        missed = True
        if reply == 1:
            return (yield from _compute(state, key, expiry, computation, token=token))
        if state.now() >= until:
            # The other process takes too long: compute, and leave storing to it.
            return (yield from _compute(state, key, expiry, computation, token=None))
        jitter = CHANCE.uniform(0.8, 1.2)
        yield WaitForChange(min(pause_s * jitter, until - state.now()))
        pause_s = min(_LONGEST_PAUSE_S, pause_s * 2)


def refresh(
    state: CacheState, key: str, expiry: Expiry, computation: Computation
) -> Effects[FillResult | None]:
    """Compute a stale value again, unless another process is already doing so."""
    token = uuid.uuid4().hex if state.uses_redis else None
    if token is not None and not (yield from _lock(state, key, token)):
        return None
    return (yield from _compute(state, key, expiry, computation, token=token))


def needs_refresh(entry: MemoryEntry, now: float, early: float) -> bool:
    """Decide whether to refresh a value: when it is stale, or by chance shortly before.

    The chance grows towards the end and with the cost of computing, so that one of many readers
    refreshes it early (Vattani et al., "Optimal Probabilistic Cache Stampede Prevention").
    """
    if now >= entry.fresh_until:
        return True
    if not early or not entry.cost_s:
        return False
    ahead_s = -entry.cost_s * early * math.log(1.0 - CHANCE.random())
    return now + ahead_s >= entry.fresh_until


def _claim(state: CacheState, key: str, token: str) -> Effects[Any]:
    yield from state.delete_pending()
    names = [state.keys.value_key(key), state.keys.lock_key(key)]
    return (yield RunScript(CLAIM, names, (token, round(state.limits.lock_s * 1000))))


def _lock(state: CacheState, key: str, token: str) -> Effects[bool]:
    """Lock a key whose value exists; false while Redis is unavailable."""
    lock_ms = round(state.limits.lock_s * 1000)
    command = ("SET", state.keys.lock_key(key), token, "NX", "PX", lock_ms)
    try:
        (locked,) = yield from state.send([command])
    except OpsctlError as error:
        state.count_error(error)
        return False
    return locked is not None


def _read_claimed(
    state: CacheState, key: str, reply: list[Any], expiry: Expiry, *, generation: int
) -> FillResult | None:
    """Use the value that Redis had; None when it is unusable and must be computed again."""
    raw, left_ms = reply
    try:
        stored = state.codec.unwrap(raw)
    except OpsctlError as error:
        state.count_error(error)
        return None
    fresh = is_fresh(stored, left_ms)
    if not fresh and not expiry.stale_s:
        state.counts.misses += 1
        return None
    state.counts.l2_hits += 1
    state.counts.stale += not fresh
    left_s = left_ms / 1000
    state.remember(key, stored, life_s=left_s, generation=generation)
    now = state.now()
    entry = MemoryEntry(stored.payload, 0.0, 0, now + left_s - stored.stale_s, stored.cost_s)
    return FillResult(stored.payload, stale=needs_refresh(entry, now, expiry.early))


def _compute(
    state: CacheState, key: str, expiry: Expiry, computation: Computation, *, token: str | None
) -> Effects[FillResult]:
    """Call the factory and store its value; a failure unlocks the key for others at once."""
    began = state.now()
    try:
        value = yield CallFactory()
        payload = state.codec.encode(value)
    except BaseException:
        state.counts.failures += 1
        if token is not None:
            yield from _release(state, key, token)
        raise
    state.counts.fills += 1
    if payload is None:
        state.counts.rejected += 1
        if token is not None:
            yield from _release(state, key, token)
        return FillResult(None, value)
    cost_s = state.now() - began
    jittered = _add_jitter(state, expiry)
    yield from _store(state, key, payload, jittered, computation, token, cost_s)
    return FillResult(payload)


def _add_jitter(state: CacheState, expiry: Expiry) -> Expiry:
    share = 1.0 - state.limits.jitter * CHANCE.random()
    return Expiry(expiry.ttl_s * share, expiry.stale_s, expiry.early)


def _store(  # noqa: PLR0913 - all of one moment
    state: CacheState,
    key: str,
    payload: Payload,
    expiry: Expiry,
    computation: Computation,
    token: str | None,
    cost_s: float,
) -> Effects[None]:
    generation = state.memory.generation
    if token is not None:
        stored = yield from _store_in_redis(state, key, payload, expiry, token, cost_s)
        if not stored:
            return
    others_store = token is None and state.uses_redis and not state.redis_unavailable
    if computation.changed_meanwhile or others_store:
        return
    new_generation = state.memory.supersede([key], generation)
    if new_generation is not None:
        value = StoredValue(payload, expiry.stale_s, cost_s)
        state.remember(key, value, life_s=expiry.total_s, generation=new_generation)


def _store_in_redis(  # noqa: PLR0913 - same
    state: CacheState, key: str, payload: Payload, expiry: Expiry, token: str, cost_s: float
) -> Effects[bool]:
    """Store if the lock is still ours: whoever changed the key in the meantime deleted it."""
    cost_s = cost_s if expiry.early else 0.0
    raw = state.codec.wrap(payload, stale_s=expiry.stale_s, cost_s=cost_s)
    names = [state.keys.value_key(key), state.keys.lock_key(key)]
    life_ms = max(1, round(expiry.total_s * 1000))
    try:
        stored = yield RunScript(STORE, names, (token, raw, life_ms, *_wake_event(state, key)))
    except OpsctlError as error:
        state.count_error(error)
        return state.redis_unavailable
    return bool(stored)


def _release(state: CacheState, key: str, token: str) -> Effects[None]:
    names = [state.keys.lock_key(key)]
    try:
        yield RunScript(RELEASE, names, (token, *_wake_event(state, key)))
    except OpsctlError as error:
        state.count_error(error)


def _wake_event(state: CacheState, key: str) -> tuple[str, str]:
    """Return the channel and the event that wake those who wait for this value."""
    return state.keys.channel, CacheEvent(state.origin, (key,)).encode()
