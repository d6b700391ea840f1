"""A missing value is computed once: in this process, and among all of them."""

import math
import random
import uuid
from dataclasses import dataclass
from typing import Any

from opsctl.errors import OpsctlError
from opsctl.kit.cache.layers import Layers
from opsctl.kit.cache.memory import Entry
from opsctl.kit.cache.model import Life, Payload, Stored
from opsctl.kit.cache.names import Event
from opsctl.kit.cache.reads import is_fresh
from opsctl.kit.cache.scripts import CLAIM, RELEASE, STORE
from opsctl.kit.cache.steps import Compute, Pause, Run, Steps

# Who hears of changes is woken; who does not looks more often.
_WOKEN_PAUSE_S = 0.25
_FIRST_PAUSE_S = 0.05
_LONGEST_PAUSE_S = 0.5


@dataclass(frozen=True, slots=True)
class Outcome:
    """A payload, or a value that no layer takes; `stale` asks for a renewal behind the scenes."""

    payload: Payload | None
    value: Any = None
    stale: bool = False


class Flight:
    """What one fill knows; `dirty` when its key changed while the value was computed."""

    dirty = False


def fill(layers: Layers, key: str, life: Life, flight: Flight) -> Steps[Outcome]:
    """Take it from Redis, or compute it for all, or wait for who does."""
    if not layers.far:
        layers.counts.misses += 1
        return (yield from _compute(layers, key, life, flight, token=None))
    token = uuid.uuid4().hex
    until = layers.now() + layers.limits.wait_s
    pause_s = _WOKEN_PAUSE_S if layers.hears else _FIRST_PAUSE_S
    missed = False
    while True:
        generation = layers.memory.generation
        try:
            reply = yield from _claim(layers, key, token)
        except OpsctlError as error:
            layers.failed(error)
            return (yield from _compute(layers, key, life, flight, token=None))
        if isinstance(reply, list):
            found = _found(layers, key, reply, life, generation=generation)
            if found is not None:
                return found
            taken = yield from _overtake(layers, key, token)
            return (yield from _compute(layers, key, life, flight, token=token if taken else None))
        layers.counts.misses += not missed
        missed = True
        if reply == 1:
            return (yield from _compute(layers, key, life, flight, token=token))
        if layers.now() >= until:
            # Whoever computes it takes too long: answer, and leave storing to the other.
            return (yield from _compute(layers, key, life, flight, token=None))
        yield Pause(min(pause_s * random.uniform(0.8, 1.2), until - layers.now()))  # noqa: S311 - no secret
        pause_s = min(_LONGEST_PAUSE_S, pause_s * 2)


def renew(layers: Layers, key: str, life: Life, flight: Flight) -> Steps[Outcome | None]:
    """Compute a value that still serves once more, unless another process does already."""
    token = uuid.uuid4().hex if layers.far else None
    if token is not None and not (yield from _overtake(layers, key, token)):
        return None
    return (yield from _compute(layers, key, life, flight, token=token))


def is_due(entry: Entry, now: float, early: float) -> bool:
    """Say whether a value should be renewed: past its time, or by chance shortly before.

    The chance grows towards the end and with what computing costs, so that of many readers one
    renews it early (Vattani et al., "Optimal Probabilistic Cache Stampede Prevention").
    """
    if now >= entry.fresh_until:
        return True
    if not early or not entry.cost_s:
        return False
    ahead_s = -entry.cost_s * early * math.log(1.0 - random.random())  # noqa: S311 - no secret
    return now + ahead_s >= entry.fresh_until


def _claim(layers: Layers, key: str, token: str) -> Steps[Any]:
    yield from layers.settle()
    names = [layers.names.value(key), layers.names.lock(key)]
    return (yield Run(CLAIM, names, (token, round(layers.limits.lock_s * 1000))))


def _overtake(layers: Layers, key: str, token: str) -> Steps[bool]:
    """Take the right to compute a value that is there; nobody has it while Redis is away."""
    lock_ms = round(layers.limits.lock_s * 1000)
    try:
        (taken,) = yield from layers.ask(
            [("SET", layers.names.lock(key), token, "NX", "PX", lock_ms)]
        )
    except OpsctlError as error:
        layers.failed(error)
        return False
    return taken is not None


def _found(
    layers: Layers, key: str, reply: list[Any], life: Life, *, generation: int
) -> Outcome | None:
    """Judge what Redis had; None is one that cannot be read and must be computed anew."""
    raw, left_ms = reply
    try:
        stored = layers.codec.unwrap(raw)
    except OpsctlError as error:
        layers.failed(error)
        return None
    fresh = is_fresh(stored, left_ms)
    if not fresh and not life.stale_s:
        layers.counts.misses += 1
        return None
    layers.counts.l2_hits += 1
    layers.counts.stale += not fresh
    left_s = left_ms / 1000
    layers.keep(key, stored, life_s=left_s, generation=generation)
    now = layers.now()
    entry = Entry(stored.payload, 0.0, 0, now + left_s - stored.stale_s, stored.cost_s)
    return Outcome(stored.payload, stale=is_due(entry, now, life.early))


def _compute(
    layers: Layers, key: str, life: Life, flight: Flight, *, token: str | None
) -> Steps[Outcome]:
    """Call the factory and keep what it gives; a failure frees the key for others at once."""
    began = layers.now()
    try:
        value = yield Compute()
        payload = layers.codec.encode(value)
    except BaseException:
        layers.counts.failures += 1
        if token is not None:
            yield from _release(layers, key, token)
        raise
    layers.counts.fills += 1
    if payload is None:
        layers.counts.rejected += 1
        if token is not None:
            yield from _release(layers, key, token)
        return Outcome(None, value)
    cost_s = layers.now() - began
    yield from _store(layers, key, payload, _jittered(layers, life), flight, token, cost_s)
    return Outcome(payload)


def _jittered(layers: Layers, life: Life) -> Life:
    share = 1.0 - layers.limits.jitter * random.random()  # noqa: S311 - no secret
    return Life(life.ttl_s * share, life.stale_s, life.early)


def _store(  # noqa: PLR0913 - all of one moment
    layers: Layers,
    key: str,
    payload: Payload,
    life: Life,
    flight: Flight,
    token: str | None,
    cost_s: float,
) -> Steps[None]:
    generation = layers.memory.generation
    if token is not None and not (yield from _to_redis(layers, key, payload, life, token, cost_s)):
        return
    if flight.dirty or (token is None and layers.far and not layers.away):
        # Changed meanwhile, or another computes it for all: theirs counts.
        return
    now = layers.memory.supersede([key], generation)
    if now is not None:
        stored = Stored(payload, life.stale_s, cost_s)
        layers.keep(key, stored, life_s=life.whole_s, generation=now)


def _to_redis(  # noqa: PLR0913 - same
    layers: Layers, key: str, payload: Payload, life: Life, token: str, cost_s: float
) -> Steps[bool]:
    """Store if the lock is still ours: whoever changed the key in between took it away."""
    cost_s = cost_s if life.early else 0.0
    raw = layers.codec.wrap(payload, stale_s=life.stale_s, cost_s=cost_s)
    names = [layers.names.value(key), layers.names.lock(key)]
    life_ms = max(1, round(life.whole_s * 1000))
    try:
        stored = yield Run(STORE, names, (token, raw, life_ms, *_waking(layers, key)))
    except OpsctlError as error:
        layers.failed(error)
        return layers.away
    return bool(stored)


def _release(layers: Layers, key: str, token: str) -> Steps[None]:
    try:
        yield Run(RELEASE, [layers.names.lock(key)], (token, *_waking(layers, key)))
    except OpsctlError as error:
        layers.failed(error)


def _waking(layers: Layers, key: str) -> tuple[str, str]:
    return layers.names.channel, Event(layers.origin, (key,)).encode()
