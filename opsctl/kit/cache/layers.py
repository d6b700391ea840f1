"""What both faces of the cache share: the two layers, and the steps of every operation."""

import os
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from opsctl.errors import OpsctlError
from opsctl.kit.cache.codec import Codec, Serializer
from opsctl.kit.cache.memory import Memory
from opsctl.kit.cache.model import (
    PRESETS,
    Backend,
    CacheLimits,
    Counts,
    Stored,
    seconds_of,
)
from opsctl.kit.cache.names import Event, Names, decode_event
from opsctl.kit.cache.steps import Ask, Steps
from opsctl.logs import logger
from opsctl.systems.clock import Clock
from opsctl.systems.redis.target import Command

log = logger(__name__)

UNLINK_STEP = 500
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
    limits: CacheLimits = field(default_factory=CacheLimits)
    lives: Mapping[str, float] = field(default_factory=lambda: PRESETS)
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
        self.memory = Memory(self.now, most_entries=limits.entries, most_bytes=limits.bytes)
        self.counts = Counts()
        self.origin = f"{os.getpid()}-{uuid.uuid4().hex[:12]}"
        self.waiting: Mapping[str, Waiting] = {}
        self.far = self.backend is not Backend.MEMORY
        self.away = False
        self._blind = self.backend is Backend.LAYERED
        self._owed: dict[str, None] = {}
        self.on_question: Callable[[], None] = _nothing
        self.near = False
        self._see()

    # What is known of the connection.

    def changed(self, *, there: bool) -> None:
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
        self.memory.restart()
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

    def keep(self, key: str, stored: Stored, *, life_s: float, generation: int) -> None:
        """Put into memory what is left of a life, never longer than memory may keep it."""
        if self.near and life_s > 0:
            # Alone there is nobody whose changes could be missed.
            own = self.limits.memory_ttl_s if self.far else life_s
            self.memory.put(
                key,
                stored.payload,
                life_s=min(own, life_s),
                fresh_s=min(own, life_s - stored.stale_s),
                cost_s=stored.cost_s,
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
        steps = [names[at : at + UNLINK_STEP] for at in range(0, len(names), UNLINK_STEP)]
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

    def told(self, keys: Sequence[str]) -> list[Command]:
        told = self.backend is Backend.LAYERED
        return [self.telling(Event(self.origin, tuple(keys)))] if told else []


def _nothing() -> None:
    pass
