"""Asking Redis, and filling memory with what it has."""

from collections.abc import Sequence

from opsctl.errors import OpsctlError
from opsctl.kit.cache.codec import stale_of
from opsctl.kit.cache.layers import Layers
from opsctl.kit.cache.model import Backend, Payload, Stored
from opsctl.kit.cache.steps import Steps


def get(layers: Layers, key: str) -> Steps[Payload | None]:
    """Ask Redis, and fill memory; None is a miss, or an error that was counted as such."""
    if not layers.far:
        layers.counts.misses += 1
        return None
    generation = layers.memory.generation
    try:
        found = yield from _read(layers, key)
    except OpsctlError as error:
        layers.failed(error)
        return None
    if found is None:
        layers.counts.misses += 1
        return None
    stored, left_s = found
    layers.counts.l2_hits += 1
    layers.keep(key, stored, life_s=left_s, generation=generation)
    return stored.payload


def _read(layers: Layers, key: str) -> Steps[tuple[Stored, float] | None]:
    name = layers.names.value(key)
    if layers.backend is Backend.REDIS:
        (raw,) = yield from layers.ask([("GET", name)])
        if raw is None:
            return None
        stored = layers.codec.unwrap(raw)
        if not stored.stale_s:
            return stored, 0.0
        (left_ms,) = yield from layers.ask([("PTTL", name)])
    else:
        raw, left_ms = yield from layers.ask([("GET", name), ("PTTL", name)])
        if raw is None:
            return None
        stored = layers.codec.unwrap(raw)
    return (stored, left_ms / 1000) if is_fresh(stored, left_ms) else None


def get_many(layers: Layers, keys: Sequence[str]) -> Steps[dict[str, Payload]]:
    if not layers.far or not keys:
        layers.counts.misses += len(keys)
        return {}
    generation = layers.memory.generation
    names = [layers.names.value(key) for key in keys]
    try:
        raws, *lives = yield from layers.ask(
            [("MGET", *names), *(("PTTL", name) for name in names)]
        )
    except OpsctlError as error:
        layers.failed(error)
        return {}
    found: dict[str, Payload] = {}
    for key, raw, left_ms in zip(keys, raws, lives, strict=True):
        stored = _unwrapped(layers, raw)
        if stored is not None and is_fresh(stored, left_ms):
            found[key] = stored.payload
            layers.keep(key, stored, life_s=left_ms / 1000, generation=generation)
    layers.counts.l2_hits += len(found)
    layers.counts.misses += len(keys) - len(found)
    return found


def _unwrapped(layers: Layers, raw: bytes | None) -> Stored | None:
    try:
        return None if raw is None else layers.codec.unwrap(raw)
    except OpsctlError as error:
        layers.failed(error)
        return None


def exists(layers: Layers, key: str) -> Steps[bool]:
    return (yield from left(layers, key)) is not None


def left(layers: Layers, key: str) -> Steps[float | None]:
    """Say how long a value is still fresh, or None where there is none."""
    if layers.near:
        here = layers.memory.left_s(key)
        if not layers.far or layers.away:
            return here
    name = layers.names.value(key)
    try:
        head, left_ms = yield from layers.ask([("GETRANGE", name, 0, 9), ("PTTL", name)])
    except OpsctlError as error:
        layers.failed(error)
        return None
    left_s = left_ms / 1000 - stale_of(head)
    return left_s if left_s > 0 else None


def is_fresh(stored: Stored, left_ms: int) -> bool:
    """Judge an entry by what Redis says is left of it; -1 is one that somebody made immortal."""
    return left_ms == -1 or left_ms / 1000 > stored.stale_s
