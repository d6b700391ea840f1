"""What a cache knows: its options, its memory, and whether Redis and its events can be used."""

import os
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from opsctl.errors import OpsctlError
from opsctl.kit.cache.codec import Codec, Serializer
from opsctl.kit.cache.keys import CacheEvent, KeyNames, decode_event
from opsctl.kit.cache.memory import MemoryCache
from opsctl.kit.cache.model import (
    TTL_PRESETS,
    Backend,
    CacheCounts,
    CacheLimits,
    StoredValue,
    ttl_seconds,
)
from opsctl.kit.redis.effects import Effects, SendCommands, send_commands
from opsctl.logs import logger
from opsctl.systems.clock import Clock
from opsctl.systems.redis.target import Command

log = logger(__name__)

UNLINK_BATCH = 500
_MOST_PENDING = 10_000


class WakeableComputation(Protocol):
    """A value that this process is computing."""

    changed_meanwhile: bool

    def wake(self) -> None: ...


@dataclass(frozen=True, slots=True)
class CacheOptions:
    """Everything about a cache except its connection."""

    prefix: str = "opsctl"
    backend: Backend = Backend.LAYERED
    limits: CacheLimits = field(default_factory=CacheLimits)
    ttls: Mapping[str, float] = field(default_factory=lambda: TTL_PRESETS)
    serializer: Serializer | None = None


class CacheState:
    def __init__(self, options: CacheOptions, clock: Clock, *, redis: bool) -> None:
        limits = options.limits
        self.limits = limits
        self.ttls = options.ttls
        self.backend = options.backend if redis else Backend.MEMORY
        self.keys = KeyNames(options.prefix)
        self.codec = Codec(
            options.serializer,
            compress_over=limits.compress_over,
            most_bytes=limits.value_bytes,
        )
        self.now: Callable[[], float] = clock.steady
        self.memory = MemoryCache(self.now, most_entries=limits.entries, most_bytes=limits.bytes)
        self.counts = CacheCounts()
        self.origin = _new_origin()
        self.computations: Mapping[str, WakeableComputation] = {}
        self.uses_redis = self.backend is not Backend.MEMORY
        self.redis_unavailable = False
        self._missing_events = self.backend is Backend.LAYERED
        self._pending_deletes: dict[str, None] = {}
        self.on_report_request: Callable[[], None] = _do_nothing
        self.uses_memory = False
        self._update_uses_memory()

    # What is known about Redis.

    def set_available(self, *, available: bool) -> None:
        """Serve from memory alone while Redis is unavailable, and empty it when Redis is back."""
        self.redis_unavailable = not available
        if available:
            self.memory.clear()
        self._update_uses_memory()

    def mark_subscribed(self) -> None:
        """From now on every change by others arrives; older entries may be out of date."""
        self.memory.clear()
        self._missing_events = False
        self._update_uses_memory()

    def mark_unsubscribed(self) -> None:
        """Changes by others no longer arrive: while Redis is available, memory may be wrong."""
        self._missing_events = True
        self._update_uses_memory()

    def restart(self) -> None:
        """Start over in a forked child, where the subscription of the parent does not exist."""
        self.memory.restart()
        self.origin = _new_origin()
        self._missing_events = self.backend is Backend.LAYERED
        self._update_uses_memory()

    def apply_event(self, data: bytes) -> None:
        event = decode_event(data)
        if event is None:
            return
        if event.asks_report:
            self.on_report_request()
        if event.origin == self.origin:
            return
        if event.pattern is not None:
            self.memory.delete_pattern(event.pattern)
        if event.keys:
            self.memory.delete(event.keys)
        for key in event.keys:
            computation = self.computations.get(key)
            if computation is not None:
                computation.wake()

    @property
    def listening(self) -> bool:
        """Whether changes by other processes arrive as they happen."""
        return self.backend is Backend.LAYERED and not self._missing_events

    def _update_uses_memory(self) -> None:
        if self.backend is Backend.MEMORY:
            self.uses_memory = True
        elif self.backend is Backend.REDIS:
            self.uses_memory = self.redis_unavailable
        else:
            self.uses_memory = self.redis_unavailable or not self._missing_events

    def collect_figures(self) -> dict[str, int]:
        """Return what this process did, and what its memory contains."""
        self.counts.l1_hits = self.memory.hits
        memory = {"entries": len(self.memory), "bytes": self.memory.bytes}
        return self.counts.as_dict() | memory | {"evictions": self.memory.evictions}

    # Times and values.

    def ttl_seconds(self, ttl: float | str | None) -> float:
        return ttl_seconds(ttl, self.ttls)

    def remember(self, key: str, stored: StoredValue, *, life_s: float, generation: int) -> None:
        """Put a value into memory for its remaining life, or for as long as memory may keep it."""
        if self.uses_memory and life_s > 0:
            # Without Redis there are no other processes whose changes could be missed.
            longest_s = self.limits.memory_ttl_s if self.uses_redis else life_s
            self.memory.put(
                key,
                stored.payload,
                life_s=min(longest_s, life_s),
                fresh_s=min(longest_s, life_s - stored.stale_s),
                cost_s=stored.cost_s,
                generation=generation,
            )

    def count_error(self, error: OpsctlError) -> None:
        self.counts.errors += 1
        facts = {"what": error.what, "why": error.why}
        log.debug("cache request to redis failed", extra=facts)

    def mark_changed(self, keys: Sequence[str]) -> None:
        """Keep values that are being computed now from overwriting what changes now."""
        for key in keys:
            computation = self.computations.get(key)
            if computation is not None:
                computation.changed_meanwhile = True

    # Talking to Redis.

    def send(self, commands: Sequence[Command]) -> Effects[list[Any]]:
        """Send commands in one round trip, after the deletes that are still pending."""
        yield from self.delete_pending()
        return (yield from send_commands(commands))

    def delete_pending(self) -> Effects[None]:
        """Delete what changed while Redis was unavailable, so that it does not come back."""
        keys = tuple(self._pending_deletes)
        if not keys:
            return
        names = [self.keys.value_key(key) for key in keys]
        batches = [names[at : at + UNLINK_BATCH] for at in range(0, len(names), UNLINK_BATCH)]
        publish = self.publish_command(CacheEvent(self.origin, keys))
        yield SendCommands([*(("UNLINK", *batch) for batch in batches), publish])
        for key in keys:
            self._pending_deletes.pop(key, None)

    def delete_later(self, keys: Sequence[str]) -> None:
        for key in keys:
            if len(self._pending_deletes) >= _MOST_PENDING:
                log.error("too many cache changes while redis is unavailable; some are lost")
                return
            self._pending_deletes[key] = None

    def publish_command(self, event: CacheEvent) -> Command:
        return ("PUBLISH", self.keys.channel, event.encode())

    def event_commands(self, keys: Sequence[str]) -> list[Command]:
        """Return the command that reports a change to other processes, where any keep memory."""
        if self.backend is not Backend.LAYERED:
            return []
        return [self.publish_command(CacheEvent(self.origin, tuple(keys)))]


def _new_origin() -> str:
    return f"{os.getpid()}-{uuid.uuid4().hex[:12]}"


def _do_nothing() -> None:
    pass
