"""What both faces of the cache share: the two layers, and the steps of every operation."""

import logging
import os
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from opsctl.errors import OpsctlError
from opsctl.kit.cache.codec import Codec, Serializer, stale_of
from opsctl.kit.cache.memory import Memory
from opsctl.kit.cache.model import (
    PRESETS,
    Backend,
    CacheLimits,
    Counts,
    Life,
    Payload,
    Stored,
    seconds_of,
)
from opsctl.kit.cache.names import Event, Names, decode_event
from opsctl.kit.cache.scripts import COUNT
from opsctl.kit.cache.steps import Ask, Run, Steps
from opsctl.systems.clock import Clock
from opsctl.systems.redis_glob import matches
from opsctl.systems.redis_target import Command

log = logging.getLogger(__name__)

_SCAN_STEP = 1000
_UNLINK_STEP = 500
_MOST_OWED = 10_000


class Waiting(Protocol):
    """A value that is being computed in this process."""

    dirty: bool

    def wake(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Setup:
    """What a cache is made of, apart from its connection."""

    prefix: str = "opsctl"
    backend: Backend = Backend.LAYERED
    limits: CacheLimits = CacheLimits()
    lives: Mapping[str, float] = PRESETS  # noqa: RUF009 - never changed
    serializer: Serializer | None = None


class Layers:
    def __init__(self, setup: Setup, clock: Clock, *, redis: bool) -> None:
        limits = setup.limits
        self.limits = limits
        self.lives = setup.lives
        self.backend = setup.backend if redis else Backend.MEMORY
        self.names = Names(setup.prefix)
        self.codec = Codec(
            setup.serializer,
            compress_over=limits.compress_over,
            most_bytes=limits.value_bytes,
        )
        self.now: Callable[[], float] = clock.steady
        self.memory = Memory(
            self.now, most_entries=limits.entries, most_bytes=limits.bytes
        )
        self.counts = Counts()
        self.origin = f"{os.getpid()}-{uuid.uuid4().hex[:12]}"
        self.waiting: dict[str, Waiting] = {}
        self.far = self.backend is not Backend.MEMORY
        self.away = False
        self._blind = self.backend is Backend.LAYERED
        self._owed: dict[str, None] = {}
        self.on_question: Callable[[], None] = _nothing
        self.near = False
        self._see()

    # What is known of the connection.

    def changed(self, there: bool) -> None:  # noqa: FBT001 - the client's callback
        """Redis is away or back: while away memory serves, and what it gathered ends with that."""
        self.away = not there
        if there:
            self.memory.clear()
        self._see()

    def gap(self) -> None:
        """From now on every change by others is heard; what was before may be out of date."""
        self.memory.clear()
        self._blind = False
        self._see()

    def lost(self) -> None:
        """Changes by others are no longer heard: memory cannot be trusted while Redis is there."""
        self._blind = True
        self._see()

    def restart(self) -> None:
        """Start over in a forked child, which has neither our threads nor our messages."""
        self.memory.clear()
        self.waiting.clear()
        self.origin = f"{os.getpid()}-{uuid.uuid4().hex[:12]}"
        self._blind = self.backend is Backend.LAYERED
        self._see()

    def heard(self, data: bytes) -> None:
        event = decode_event(data)
        if event is None:
            return
        if event.asks_report:
            self.on_question()
        if event.origin == self.origin:
            return
        if event.pattern is not None:
            self.memory.delete_pattern(event.pattern)
        if event.keys:
            self.memory.delete(event.keys)
        for key in event.keys:
            waiting = self.waiting.get(key)
            if waiting is not None:
                waiting.wake()

    @property
    def hears(self) -> bool:
        """Whether changes by others arrive as they happen."""
        return self.backend is Backend.LAYERED and not self._blind

    def _see(self) -> None:
        if self.backend is Backend.MEMORY:
            self.near = True
        elif self.backend is Backend.REDIS:
            self.near = self.away
        else:
            self.near = self.away or not self._blind

    def snapshot(self) -> dict[str, int]:
        """Say what this process did and holds."""
        self.counts.l1_hits = self.memory.hits
        held = {"entries": len(self.memory), "bytes": self.memory.bytes}
        return self.counts.plain() | held | {"evictions": self.memory.evictions}

    # Times and values.

    def seconds(self, ttl: float | str | None) -> float:
        return seconds_of(ttl, self.lives)

    def keep(
        self,
        key: str,
        payload: Payload,
        *,
        life_s: float,
        stale_s: float = 0.0,
        cost_s: float = 0.0,
        generation: int | None = None,
    ) -> None:
        """Put into memory what is left of a life, never longer than memory may keep it."""
        if self.near and life_s > 0:
            own = self.limits.memory_ttl_s
            fresh_s = max(life_s - stale_s, 0.0)
            self.memory.put(
                key,
                payload,
                life_s=min(own, life_s),
                fresh_s=min(own, fresh_s) or 1e-9,
                cost_s=cost_s,
                generation=generation,
            )

    def failed(self, error: OpsctlError) -> None:
        self.counts.errors += 1
        log.debug("cache without redis", extra={"what": error.what, "why": error.why})

    def soil(self, keys: Sequence[str]) -> None:
        """Keep values that are being computed now from overwriting what changes now."""
        for key in keys:
            waiting = self.waiting.get(key)
            if waiting is not None:
                waiting.dirty = True

    # Talking to Redis.

    def ask(self, commands: Sequence[Command]) -> Steps[list[Any]]:
        """Send all in one trip and raise the first refusal; pay first what is owed."""
        yield from self.settle()
        replies = yield Ask(commands)
        for reply in replies:
            if isinstance(reply, OpsctlError):
                raise reply
        return list(replies)

    def settle(self) -> Steps[None]:
        """Delete what changed while Redis was away: it must not come back to life."""
        keys = tuple(self._owed)
        if not keys:
            return
        names = [self.names.value(key) for key in keys]
        steps = [names[at : at + _UNLINK_STEP] for at in range(0, len(names), _UNLINK_STEP)]
        event = Event(self.origin, keys)
        yield Ask([*(("UNLINK", *step) for step in steps), self.telling(event)])
        for key in keys:
            self._owed.pop(key, None)

    def owe(self, keys: Sequence[str]) -> None:
        for key in keys:
            if len(self._owed) >= _MOST_OWED:
                log.error("too many changes while redis is away; some are lost")
                return
            self._owed[key] = None

    def telling(self, event: Event) -> Command:
        return ("PUBLISH", self.names.channel, event.encode())

    def _told(self, keys: Sequence[str]) -> list[Command]:
        told = self.backend is Backend.LAYERED
        return [self.telling(Event(self.origin, tuple(keys)))] if told else []

    # The operations.

    def get(self, key: str) -> Steps[Payload | None]:
        """Ask Redis, and fill memory; None is a miss, or an error that was counted as such."""
        if not self.far:
            self.counts.misses += 1
            return None
        generation = self.memory.generation
        try:
            found = yield from self._read(key)
        except OpsctlError as error:
            self.failed(error)
            return None
        if found is None:
            self.counts.misses += 1
            return None
        stored, left_s = found
        self.counts.l2_hits += 1
        self.keep(
            key,
            stored.payload,
            life_s=left_s,
            stale_s=stored.stale_s,
            cost_s=stored.cost_s,
            generation=generation,
        )
        return stored.payload

    def _read(self, key: str) -> Steps[tuple[Stored, float] | None]:
        name = self.names.value(key)
        if self.backend is Backend.REDIS:
            (raw,) = yield from self.ask([("GET", name)])
            if raw is None:
                return None
            stored = self.codec.unwrap(raw)
            if not stored.stale_s:
                return stored, 0.0
            (left_ms,) = yield from self.ask([("PTTL", name)])
        else:
            raw, left_ms = yield from self.ask([("GET", name), ("PTTL", name)])
            if raw is None:
                return None
            stored = self.codec.unwrap(raw)
        return (stored, left_ms / 1000) if is_fresh(stored, left_ms) else None

    def get_many(self, keys: Sequence[str]) -> Steps[dict[str, Payload]]:
        if not self.far or not keys:
            self.counts.misses += len(keys)
            return {}
        generation = self.memory.generation
        names = [self.names.value(key) for key in keys]
        try:
            raws, *lives = yield from self.ask(
                [("MGET", *names), *(("PTTL", name) for name in names)]
            )
        except OpsctlError as error:
            self.failed(error)
            return {}
        found: dict[str, Payload] = {}
        for key, raw, left_ms in zip(keys, raws, lives, strict=True):
            stored = self._unwrapped(raw)
            if stored is not None and is_fresh(stored, left_ms):
                found[key] = stored.payload
                self.keep(
                    key,
                    stored.payload,
                    life_s=left_ms / 1000,
                    stale_s=stored.stale_s,
                    generation=generation,
                )
        self.counts.l2_hits += len(found)
        self.counts.misses += len(keys) - len(found)
        return found

    def _unwrapped(self, raw: bytes | None) -> Stored | None:
        try:
            return None if raw is None else self.codec.unwrap(raw)
        except OpsctlError as error:
            self.failed(error)
            return None

    def set_many(self, values: Mapping[str, Any], life: Life) -> Steps[bool]:
        """Store in one trip; true when every layer has every value."""
        encoded = {key: self.codec.encode(value) for key, value in values.items()}
        kept = {key: payload for key, payload in encoded.items() if payload is not None}
        keys = tuple(values)
        self.counts.rejected += len(encoded) - len(kept)
        self.counts.sets += len(kept)
        self.soil(keys)
        # An older value must not outlive one that was too large to take its place.
        self.memory.delete(keys)
        generation = self.memory.generation
        stored = not self.far or (yield from self._send(keys, kept, life))
        for key, payload in kept.items():
            self.keep(
                key,
                payload,
                life_s=life.whole_s,
                stale_s=life.stale_s,
                generation=generation,
            )
        return stored and len(kept) == len(encoded)

    def _send(
        self, keys: Sequence[str], kept: Mapping[str, Payload], life: Life
    ) -> Steps[bool]:
        life_ms = max(1, round(life.whole_s * 1000))
        commands: list[Command] = [
            (
                "SET",
                self.names.value(key),
                self.codec.wrap(payload, stale_s=life.stale_s),
                "PX",
                life_ms,
            )
            for key, payload in kept.items()
        ]
        gone = [self.names.value(key) for key in keys if key not in kept]
        locks = [self.names.lock(key) for key in keys]
        try:
            yield from self.ask([*commands, ("UNLINK", *locks, *gone), *self._told(keys)])
        except OpsctlError as error:
            self.failed(error)
            self.owe(keys)
            return False
        return True

    def delete(self, keys: Sequence[str]) -> Steps[int]:
        self.soil(keys)
        here = self.memory.delete(keys)
        self.counts.deletes += len(keys)
        if not self.far or not keys:
            return here
        names = [self.names.value(key) for key in keys]
        locks = [self.names.lock(key) for key in keys]
        try:
            gone, *_ = yield from self.ask(
                [("UNLINK", *names), ("UNLINK", *locks), *self._told(keys)]
            )
        except OpsctlError as error:
            self.failed(error)
            self.owe(keys)
            return here
        return int(gone)

    def delete_pattern(self, pattern: str) -> Steps[int]:
        """Walk in small steps: other clients of Redis wait a fraction of a millisecond."""
        self.soil([key for key in tuple(self.waiting) if matches(pattern, key)])
        here = self.memory.delete_pattern(pattern)
        if not self.far:
            self.counts.deletes += here
            return here
        try:
            gone = yield from unlink_like(self, pattern)
        except OpsctlError as error:
            self.failed(error)
            return here
        self.counts.deletes += gone
        return gone

    def exists(self, key: str) -> Steps[bool]:
        left = yield from self.left(key)
        return left is not None

    def left(self, key: str) -> Steps[float | None]:
        """Say how long a value is still fresh, or None where there is none."""
        if self.near:
            here = self.memory.left_s(key)
            if not self.far or self.away:
                return here
        name = self.names.value(key)
        try:
            head, left_ms = yield from self.ask([("GETRANGE", name, 0, 9), ("PTTL", name)])
        except OpsctlError as error:
            self.failed(error)
            return None
        left_s = left_ms / 1000 - stale_of(head)
        return left_s if left_s > 0 else None

    def expire(self, key: str, ttl_s: float) -> Steps[bool]:
        if not self.far:
            return self.memory.expire(key, ttl_s)
        self.memory.delete([key])
        name = self.names.value(key)
        try:
            (head,) = yield from self.ask([("GETRANGE", name, 0, 9)])
            life_ms = max(1, round((ttl_s + stale_of(head)) * 1000))
            done, *_ = yield from self.ask([("PEXPIRE", name, life_ms), *self._told([key])])
        except OpsctlError as error:
            self.failed(error)
            self.owe([key])
            return False
        return bool(done)

    def count(self, key: str, by: int, ttl_s: float) -> Steps[int]:
        """Count in Redis for all processes; alone while it is away."""
        self.soil([key])
        if self.far:
            self.memory.delete([key])
            told = self._told([key])
            channel, message = told[0][1:] if told else ("", "")
            args = (by, max(1, round(ttl_s * 1000)), channel, message)
            try:
                return int((yield Run(COUNT, [self.names.value(key)], args)))
            except OpsctlError as error:
                if not self.away:
                    raise
                self.failed(error)
        return self.memory.add(key, by, life_s=ttl_s)


def is_fresh(stored: Stored, left_ms: int) -> bool:
    """Judge an entry by what Redis says is left of it; -1 is one that somebody made immortal."""
    return left_ms == -1 or left_ms / 1000 > stored.stale_s


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
        for at in range(0, len(names), _UNLINK_STEP):
            step = names[at : at + _UNLINK_STEP]
            yield from layers.ask([("UNLINK", *step)])
            gone += sum(name.startswith(values) for name in step)
        if int(cursor) == 0:
            yield from layers.ask([told])
            return gone


def _nothing() -> None:
    pass
