"""Changing values in both layers, and telling every other process."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from opsctl.errors import OpsctlError
from opsctl.kit.cache.codec import stale_of
from opsctl.kit.cache.layers import UNLINK_STEP, Layers
from opsctl.kit.cache.model import Life, Payload, Stored
from opsctl.kit.cache.names import Event
from opsctl.kit.cache.scripts import COUNT
from opsctl.kit.cache.steps import Run, Steps
from opsctl.systems.redis.glob import matches

if TYPE_CHECKING:
    from opsctl.systems.redis.target import Command

_SCAN_STEP = 1000
_NO_NUMBER = ("not an integer", "wrong kind of value", "would overflow")


def set_many(layers: Layers, values: Mapping[str, Any], life: Life) -> Steps[bool]:
    """Store in one trip; true when every layer has every value."""
    encoded = {key: layers.codec.encode(value) for key, value in values.items()}
    kept = {key: payload for key, payload in encoded.items() if payload is not None}
    keys = tuple(values)
    layers.counts.rejected += len(encoded) - len(kept)
    layers.counts.sets += len(kept)
    layers.soil(keys)
    # An older value must not outlive one that was too large to take its place.
    layers.memory.delete(keys)
    generation = layers.memory.generation
    sent = not layers.far or (yield from _send(layers, keys, kept, life))
    now = layers.memory.supersede(keys, generation)
    if now is not None:
        for key, payload in kept.items():
            stored = Stored(payload, life.stale_s, 0.0)
            layers.keep(key, stored, life_s=life.whole_s, generation=now)
    return sent and len(kept) == len(encoded)


def _send(
    layers: Layers, keys: Sequence[str], kept: Mapping[str, Payload], life: Life
) -> Steps[bool]:
    life_ms = max(1, round(life.whole_s * 1000))
    commands: list[Command] = [
        (
            "SET",
            layers.names.value(key),
            layers.codec.wrap(payload, stale_s=life.stale_s),
            "PX",
            life_ms,
        )
        for key, payload in kept.items()
    ]
    gone = [layers.names.value(key) for key in keys if key not in kept]
    locks = [layers.names.lock(key) for key in keys]
    try:
        yield from layers.ask([*commands, ("UNLINK", *locks, *gone), *layers.told(keys)])
    except OpsctlError as error:
        layers.failed(error)
        layers.owe(keys)
        return False
    return True


def delete(layers: Layers, keys: Sequence[str]) -> Steps[int]:
    layers.soil(keys)
    here = layers.memory.delete(keys)
    layers.counts.deletes += len(keys)
    if not layers.far or not keys:
        return here
    names = [layers.names.value(key) for key in keys]
    locks = [layers.names.lock(key) for key in keys]
    try:
        gone, *_ = yield from layers.ask(
            [("UNLINK", *names), ("UNLINK", *locks), *layers.told(keys)]
        )
    except OpsctlError as error:
        layers.failed(error)
        layers.owe(keys)
        return here
    # Once more: another thread may have read the old value just before it went.
    layers.memory.delete(keys)
    return int(gone)


def delete_pattern(layers: Layers, pattern: str) -> Steps[int]:
    """Walk in small steps: other clients of Redis wait a fraction of a millisecond."""
    layers.soil([key for key in tuple(layers.waiting) if matches(pattern, key)])
    here = layers.memory.delete_pattern(pattern)
    if not layers.far:
        layers.counts.deletes += here
        return here
    try:
        gone = yield from unlink_like(layers, pattern)
    except OpsctlError as error:
        layers.failed(error)
        return here
    layers.memory.delete_pattern(pattern)
    layers.counts.deletes += gone
    return gone


def expire(layers: Layers, key: str, ttl_s: float) -> Steps[bool]:
    if not layers.far:
        return layers.memory.expire(key, ttl_s)
    layers.memory.delete([key])
    name = layers.names.value(key)
    try:
        (head,) = yield from layers.ask([("GETRANGE", name, 0, 9)])
        life_ms = max(1, round((ttl_s + stale_of(head)) * 1000))
        done, *_ = yield from layers.ask([("PEXPIRE", name, life_ms), *layers.told([key])])
    except OpsctlError as error:
        layers.failed(error)
        layers.owe([key])
        return False
    layers.memory.delete([key])
    return bool(done)


def count(layers: Layers, key: str, by: int, ttl_s: float) -> Steps[int]:
    """Count in Redis for all processes; alone while Redis cannot."""
    layers.soil([key])
    if layers.far:
        told = layers.told([key])
        channel, message = told[0][1:] if told else ("", "")
        args = (by, max(1, round(ttl_s * 1000)), channel, message)
        try:
            number = yield Run(COUNT, [layers.names.value(key)], args)
        except OpsctlError as error:
            if any(words in error.why for words in _NO_NUMBER):
                raise
            layers.failed(error)
        else:
            layers.memory.delete([key])
            return int(number)
    return layers.memory.add(key, by, life_s=ttl_s)


def unlink_like(layers: Layers, pattern: str) -> Steps[int]:
    """Delete matching values and the locks of those being computed; tell others before and after.

    Before, so that they forget; after, for what they read again in between.
    """
    told = layers.telling(Event(layers.origin, pattern=pattern))
    match = layers.names.all_like(pattern)
    values = layers.names.value("").encode()
    yield from layers.ask([told])
    cursor: bytes | int = 0
    gone = 0
    while True:
        ((cursor, names),) = yield from layers.ask(
            [("SCAN", cursor, "MATCH", match, "COUNT", _SCAN_STEP)]
        )
        for at in range(0, len(names), UNLINK_STEP):
            step = names[at : at + UNLINK_STEP]
            yield from layers.ask([("UNLINK", *step)])
            gone += sum(name.startswith(values) for name in step)
        if int(cursor) == 0:
            yield from layers.ask([told])
            return gone
