"""The names of the cache in Redis (keys, locks, channel, reports) and the events of its channel."""

import json
from dataclasses import dataclass

from opsctl.systems.redis.glob import literal


@dataclass(frozen=True, slots=True)
class KeyNames:
    prefix: str

    def value_key(self, key: str) -> str:
        return f"{self.prefix}:cache:{key}"

    def lock_key(self, key: str) -> str:
        return f"{self.prefix}:cache-lock:{key}"

    @property
    def channel(self) -> str:
        return f"{self.prefix}:cache-events"

    @property
    def reports(self) -> str:
        return f"{self.prefix}:cache-reports"

    def value_pattern(self, pattern: str) -> str:
        return f"{literal(self.prefix)}:cache:{pattern}"

    def value_and_lock_pattern(self, pattern: str) -> str:
        """Match values and the locks of those that are being computed."""
        return f"{literal(self.prefix)}:cache*:{pattern}"

    def key_of(self, name: str) -> str:
        return name.removeprefix(f"{self.prefix}:cache:")


@dataclass(frozen=True, slots=True)
class CacheEvent:
    """What one process publishes to all others: changed keys, a pattern, or a report request."""

    origin: str
    keys: tuple[str, ...] = ()
    pattern: str | None = None
    asks_report: bool = False

    def encode(self) -> str:
        return json.dumps([self.origin, self.keys, self.pattern, self.asks_report])


def decode_event(data: bytes) -> CacheEvent | None:
    """Read an event; anything else is ignored, as anybody may publish to a channel."""
    try:
        origin, keys, pattern, asks_report = json.loads(data)
        return CacheEvent(str(origin), tuple(map(str, keys)), pattern, bool(asks_report))
    except (ValueError, TypeError):
        return None
