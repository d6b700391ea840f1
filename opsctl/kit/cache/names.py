"""What the cache is called in Redis: its keys, its locks, its channel, its reports."""

import json
from dataclasses import dataclass

from opsctl.systems.redis.glob import literal


@dataclass(frozen=True, slots=True)
class Names:
    prefix: str

    def value(self, key: str) -> str:
        return f"{self.prefix}:cache:{key}"

    def lock(self, key: str) -> str:
        return f"{self.prefix}:cache-lock:{key}"

    @property
    def channel(self) -> str:
        return f"{self.prefix}:cache-events"

    @property
    def reports(self) -> str:
        return f"{self.prefix}:cache-reports"

    def values_like(self, pattern: str) -> str:
        return f"{literal(self.prefix)}:cache:{pattern}"

    def all_like(self, pattern: str) -> str:
        """Match values and the locks of those that are being computed."""
        return f"{literal(self.prefix)}:cache*:{pattern}"

    def plain(self, name: str) -> str:
        return name.removeprefix(f"{self.prefix}:cache:")


@dataclass(frozen=True, slots=True)
class Event:
    """What one process tells all others: keys that changed, a pattern, or a question."""

    origin: str
    keys: tuple[str, ...] = ()
    pattern: str | None = None
    asks_report: bool = False

    def encode(self) -> str:
        return json.dumps([self.origin, self.keys, self.pattern, self.asks_report])


def decode_event(data: bytes) -> Event | None:
    """Read an event; what is none is passed over, as others may write to any channel."""
    try:
        origin, keys, pattern, asks_report = json.loads(data)
        return Event(str(origin), tuple(map(str, keys)), pattern, bool(asks_report))
    except (ValueError, TypeError):
        return None
