"""`MemoryCache`: the first layer (L1), LRU, limited by number and size of entries."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from opsctl.systems.redis.glob import matches

# What Python needs for a key, a value, a MemoryEntry and its place in the LRU order.
OVERHEAD_BYTES = 400


class MemoryEntry(NamedTuple):
    value: Any
    ends_at: float
    size: int
    fresh_until: float
    cost_s: float


class MemoryCache:
    """Threads may share one. Each change from outside increments `generation`."""

    def __init__(self, now: Callable[[], float], *, most_entries: int, most_bytes: int) -> None:
        self._now = now
        self._most_entries = most_entries
        self._most_bytes = most_bytes
        self._entries: OrderedDict[str, MemoryEntry] = OrderedDict()
        self._lock = threading.Lock()
        self.bytes = 0
        self.hits = 0
        self.evictions = 0
        self.generation = 0

    def restart(self) -> None:
        """Start empty in a forked child, with a lock that no thread of the parent holds."""
        self._lock = threading.Lock()
        self.clear()

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: str) -> Any:  # noqa: ANN401 - a value is anything
        """Return a fresh value, or None; it becomes the most recently used."""
        with self._lock:
            entry = self._entries.get(key)
            if entry is None:
                return None
            now = self._now()
            if entry[3] <= now:
                if entry[1] <= now:
                    self._drop(key)
                return None
            self._entries.move_to_end(key)
            self.hits += 1
            return entry[0]

    def lookup(self, key: str) -> MemoryEntry | None:
        """Return an entry that may be served, fresh or stale, with its times."""
        entry = self._peek(key)
        if entry is not None:
            self.hits += 1
        return entry

    def _peek(self, key: str) -> MemoryEntry | None:
        with self._lock:
            entry = self._entries.get(key)
            if entry is None:
                return None
            if entry.ends_at <= self._now():
                self._drop(key)
                return None
            self._entries.move_to_end(key)
            return entry

    def put(  # noqa: PLR0913 - times that belong together, written without an object for speed
        self,
        key: str,
        value: Any,  # noqa: ANN401 - a value is anything
        *,
        life_s: float,
        fresh_s: float | None = None,
        cost_s: float = 0.0,
        generation: int | None = None,
    ) -> bool:
        """Store a value, unless it is too large or something has changed since `generation`."""
        size = OVERHEAD_BYTES + len(key) + (len(value) if isinstance(value, bytes) else 8)
        now = self._now()
        entry = MemoryEntry(
            value, now + life_s, size, now + (life_s if fresh_s is None else fresh_s), cost_s
        )
        with self._lock:
            if generation is not None and generation != self.generation:
                return False
            if key in self._entries:
                self._drop(key)
            if size > self._most_bytes or life_s <= 0:
                return False
            self._entries[key] = entry
            self.bytes += size
            while len(self._entries) > self._most_entries or self.bytes > self._most_bytes:
                self._drop(next(iter(self._entries)))
                self.evictions += 1
        return True

    def add(self, key: str, by: int, *, life_s: float) -> int:
        """Add to a number; a new one gets the TTL `life_s`, an existing one keeps its own."""
        with self._lock:
            entry = self._entries.get(key)
            now = self._now()
            alive = entry is not None and entry.ends_at > now
            number = (int(entry.value) if entry is not None and alive else 0) + by
            if entry is not None and alive:
                self._entries[key] = entry._replace(value=number)
                return number
        self.put(key, number, life_s=life_s)
        return number

    def delete(self, keys: Iterable[str]) -> int:
        """Delete entries; what other threads are reading from Redis right now is not stored."""
        with self._lock:
            self.generation += 1
            present = [key for key in keys if key in self._entries]
            for key in present:
                self._drop(key)
            return len(present)

    def supersede(self, keys: Iterable[str], since: int) -> int | None:
        """Delete keys that have just changed, and ignore what was read of them before.

        Returns the new generation, for storing the new values; None if others made changes too.
        """
        with self._lock:
            unchanged = self.generation == since
            self.generation += 1
            for key in keys:
                if key in self._entries:
                    self._drop(key)
            return self.generation if unchanged else None

    def delete_pattern(self, pattern: str) -> int:
        with self._lock:
            self.generation += 1
            matching = [key for key in self._entries if matches(pattern, key)]
            for key in matching:
                self._drop(key)
            return len(matching)

    def clear(self) -> None:
        with self._lock:
            self.generation += 1
            self._entries.clear()
            self.bytes = 0

    def left_s(self, key: str) -> float | None:
        entry = self._peek(key)
        left_s = 0.0 if entry is None else entry.fresh_until - self._now()
        return left_s if left_s > 0 else None

    def expire(self, key: str, life_s: float) -> bool:
        entry = self._peek(key)
        if entry is None:
            return False
        return self.put(key, entry.value, life_s=life_s, cost_s=entry.cost_s)

    def _drop(self, key: str) -> None:
        self.bytes -= self._entries.pop(key).size
