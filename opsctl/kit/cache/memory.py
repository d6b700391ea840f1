"""The first layer: least recently used goes first, bounded by count and by bytes."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from opsctl.systems.redis.glob import matches

# What Python needs for a key, a value, an Entry and its place in the order.
OVERHEAD_BYTES = 400


class Entry(NamedTuple):
    value: Any
    dies_at: float
    size: int
    fresh_until: float
    cost_s: float


class Memory:
    """Threads may share it. Every change by others moves `generation`."""

    def __init__(self, now: Callable[[], float], *, most_entries: int, most_bytes: int) -> None:
        self._now = now
        self._most_entries = most_entries
        self._most_bytes = most_bytes
        self._entries: OrderedDict[str, Entry] = OrderedDict()
        self._lock = threading.Lock()
        self.bytes = 0
        self.hits = 0
        self.evictions = 0
        self.generation = 0

    def restart(self) -> None:
        """Begin empty, with a lock that no thread of the parent holds."""
        self._lock = threading.Lock()
        self.clear()

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: str) -> Any:  # noqa: ANN401 - a value is anything
        """Take a fresh value, or None; it becomes the most recently used."""
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

    def lookup(self, key: str) -> Entry | None:
        """Take an entry that may be served, with its times: fresh, or in its stale tail."""
        entry = self._peek(key)
        if entry is not None:
            self.hits += 1
        return entry

    def _peek(self, key: str) -> Entry | None:
        with self._lock:
            entry = self._entries.get(key)
            if entry is None:
                return None
            if entry.dies_at <= self._now():
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
        """Keep a value; not when it alone is too large, or something changed since `generation`."""
        size = OVERHEAD_BYTES + len(key) + (len(value) if isinstance(value, bytes) else 8)
        now = self._now()
        entry = Entry(
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
        """Count up; a new number lives for `life_s`, an old one keeps its time."""
        with self._lock:
            entry = self._entries.get(key)
            now = self._now()
            alive = entry is not None and entry.dies_at > now
            number = (int(entry.value) if entry is not None and alive else 0) + by
            if entry is not None and alive:
                self._entries[key] = entry._replace(value=number)
                return number
        self.put(key, number, life_s=life_s)
        return number

    def delete(self, keys: Iterable[str]) -> int:
        """Forget; whatever is being read elsewhere at this moment is not kept."""
        with self._lock:
            self.generation += 1
            found = [key for key in keys if key in self._entries]
            for key in found:
                self._drop(key)
            return len(found)

    def supersede(self, keys: Iterable[str], since: int) -> int | None:
        """Forget keys that have just changed, and whatever was read of them before.

        The new generation, for putting their new values; None if others changed something too.
        """
        with self._lock:
            alone = self.generation == since
            self.generation += 1
            for key in keys:
                if key in self._entries:
                    self._drop(key)
            return self.generation if alone else None

    def delete_pattern(self, pattern: str) -> int:
        with self._lock:
            self.generation += 1
            found = [key for key in self._entries if matches(pattern, key)]
            for key in found:
                self._drop(key)
            return len(found)

    def clear(self) -> None:
        with self._lock:
            self.generation += 1
            self._entries.clear()
            self.bytes = 0

    def left_s(self, key: str) -> float | None:
        entry = self._peek(key)
        left = 0.0 if entry is None else entry.fresh_until - self._now()
        return left if left > 0 else None

    def expire(self, key: str, life_s: float) -> bool:
        entry = self._peek(key)
        if entry is None:
            return False
        return self.put(key, entry.value, life_s=life_s, cost_s=entry.cost_s)

    def _drop(self, key: str) -> None:
        self.bytes -= self._entries.pop(key).size
