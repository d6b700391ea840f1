"""Changes values in Redis and in memory, and reports the changes to all other processes."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from opsctl.errors import OpsctlError
from opsctl.kit.cache.codec import read_stale_s
from opsctl.kit.cache.keys import CacheEvent
from opsctl.kit.cache.model import Expiry, Payload, StoredValue
from opsctl.kit.cache.scripts import COUNT
from opsctl.kit.cache.state import UNLINK_BATCH, CacheState
from opsctl.kit.redis.effects import Effects, RunScript
from opsctl.systems.redis.glob import matches

if TYPE_CHECKING:
    from opsctl.systems.redis.target import Command

_SCAN_BATCH = 1000
_HEADER_RANGE = (0, 9)
_NOT_A_NUMBER = ("not an integer", "wrong kind of value", "would overflow")


def set_many(state: CacheState, values: Mapping[str, Any], expiry: Expiry) -> Effects[bool]:
    """Store values in one round trip; true when Redis and memory have all of them."""
    encoded = {key: state.codec.encode(value) for key, value in values.items()}
    kept = {key: payload for key, payload in encoded.items() if payload is not None}
    keys = tuple(values)
    state.counts.rejected += len(encoded) - len(kept)
    state.counts.sets += len(kept)
    state.mark_changed(keys)
    # An older value must not survive one that was too large to replace it.
    state.memory.delete(keys)
    generation = state.memory.generation
    sent = not state.uses_redis or (yield from _send(state, keys, kept, expiry))
    new_generation = state.memory.supersede(keys, generation)
    if new_generation is not None:
        for key, payload in kept.items():
            stored = StoredValue(payload, expiry.stale_s, 0.0)
            state.remember(key, stored, life_s=expiry.total_s, generation=new_generation)
    return sent and len(kept) == len(encoded)


def _send(
    state: CacheState, keys: Sequence[str], kept: Mapping[str, Payload], expiry: Expiry
) -> Effects[bool]:
    life_ms = max(1, round(expiry.total_s * 1000))
    commands: list[Command] = [
        (
            "SET",
            state.keys.value_key(key),
            state.codec.wrap(payload, stale_s=expiry.stale_s),
            "PX",
            life_ms,
        )
        for key, payload in kept.items()
    ]
    too_large = [state.keys.value_key(key) for key in keys if key not in kept]
    locks = [state.keys.lock_key(key) for key in keys]
    unlink = ("UNLINK", *locks, *too_large)
    try:
        yield from state.send([*commands, unlink, *state.event_commands(keys)])
    except OpsctlError as error:
        state.count_error(error)
        state.delete_later(keys)
        return False
    return True


def delete(state: CacheState, keys: Sequence[str]) -> Effects[int]:
    state.mark_changed(keys)
    deleted_here = state.memory.delete(keys)
    state.counts.deletes += len(keys)
    if not state.uses_redis or not keys:
        return deleted_here
    names = [state.keys.value_key(key) for key in keys]
    locks = [state.keys.lock_key(key) for key in keys]
    commands = [("UNLINK", *names), ("UNLINK", *locks), *state.event_commands(keys)]
    try:
        deleted, *_ = yield from state.send(commands)
    except OpsctlError as error:
        state.count_error(error)
        state.delete_later(keys)
        return deleted_here
    # Again: another thread may have read the old value just before it was deleted.
    state.memory.delete(keys)
    return int(deleted)


def delete_pattern(state: CacheState, pattern: str) -> Effects[int]:
    """Delete in small batches: other clients of Redis wait for less than a millisecond."""
    state.mark_changed([key for key in tuple(state.computations) if matches(pattern, key)])
    deleted_here = state.memory.delete_pattern(pattern)
    if not state.uses_redis:
        state.counts.deletes += deleted_here
        return deleted_here
    try:
        deleted = yield from unlink_pattern(state, pattern)
    except OpsctlError as error:
        state.count_error(error)
        return deleted_here
    state.memory.delete_pattern(pattern)
    state.counts.deletes += deleted
    return deleted


def expire(state: CacheState, key: str, ttl_s: float) -> Effects[bool]:
    if not state.uses_redis:
        return state.memory.expire(key, ttl_s)
    state.memory.delete([key])
    name = state.keys.value_key(key)
    try:
        (head,) = yield from state.send([("GETRANGE", name, *_HEADER_RANGE)])
        life_ms = max(1, round((ttl_s + read_stale_s(head)) * 1000))
        commands = [("PEXPIRE", name, life_ms), *state.event_commands([key])]
        exists, *_ = yield from state.send(commands)
    except OpsctlError as error:
        state.count_error(error)
        state.delete_later([key])
        return False
    state.memory.delete([key])
    return bool(exists)


def count(state: CacheState, key: str, by: int, ttl_s: float) -> Effects[int]:
    """Count in Redis for all processes; in memory alone while Redis is unavailable."""
    state.mark_changed([key])
    if state.uses_redis:
        publish = state.event_commands([key])
        channel, message = publish[0][1:] if publish else ("", "")
        args = (by, max(1, round(ttl_s * 1000)), channel, message)
        try:
            number = yield RunScript(COUNT, [state.keys.value_key(key)], args)
        except OpsctlError as error:
            if any(text in error.why for text in _NOT_A_NUMBER):
                raise
            state.count_error(error)
        else:
            state.memory.delete([key])
            return int(number)
    return state.memory.add(key, by, life_s=ttl_s)


def unlink_pattern(state: CacheState, pattern: str) -> Effects[int]:
    """Delete matching values and the locks of those being computed.

    The event is published twice: before, so that other processes forget the values; after, for
    what they have read again in between.
    """
    publish = state.publish_command(CacheEvent(state.origin, pattern=pattern))
    match = state.keys.value_and_lock_pattern(pattern)
    value_prefix = state.keys.value_key("").encode()
    yield from state.send([publish])
    cursor: bytes | int = 0
    deleted = 0
    while True:
        ((cursor, names),) = yield from state.send(
            [("SCAN", cursor, "MATCH", match, "COUNT", _SCAN_BATCH)]
        )
        for at in range(0, len(names), UNLINK_BATCH):
            batch = names[at : at + UNLINK_BATCH]
            yield from state.send([("UNLINK", *batch)])
            deleted += sum(name.startswith(value_prefix) for name in batch)
        if int(cursor) == 0:
            yield from state.send([publish])
            return deleted
