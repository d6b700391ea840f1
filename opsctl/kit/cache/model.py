"""The nouns of the cache."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import Enum, StrEnum
from typing import NamedTuple

from opsctl.errors import OpsctlError, UsageError

Payload = bytes | int
"""A value as the layers keep it: serialised, or a plain number that Redis can count."""


class Missing(Enum):
    """Stands for no value, so that None can be one."""

    MISSING = "missing"


MISSING = Missing.MISSING


class Backend(StrEnum):
    MEMORY = "memory"
    REDIS = "redis"
    LAYERED = "layered"


class Ttl:
    """Lives in seconds."""

    SHORT = 60.0
    MEDIUM = 600.0
    LONG = 3600.0
    DAILY = 86400.0


PRESETS: Mapping[str, float] = {
    "short": Ttl.SHORT,
    "medium": Ttl.MEDIUM,
    "long": Ttl.LONG,
    "daily": Ttl.DAILY,
    "hot_stocks": 300.0,
    "stock_detail": 300.0,
    "news": 900.0,
    "chart_5d": 300.0,
    "chart_1m": 1800.0,
    "chart_3m": 3600.0,
    "briefing_detail": 3600.0,
    "briefing_list": 600.0,
    "embedding": Ttl.DAILY,
    "search": Ttl.LONG,
    "price": 0.1,
    "position": 1.0,
    "orderbook": 0.05,
    "risk": 5.0,
    "order": 60.0,
    "strategy": 60.0,
}


@dataclass(frozen=True, slots=True)
class CacheLimits:
    entries: int = 1000
    bytes: int = 100 * 1024 * 1024
    memory_ttl_s: float = 60.0
    """Longest life in memory: how long a lost invalidation can hurt."""
    value_bytes: int = 1024 * 1024
    compress_over: int = 4096
    jitter: float = 0.05
    lock_s: float = 30.0
    wait_s: float = 10.0
    report_every_s: float = 10.0


@dataclass(frozen=True, slots=True)
class Life:
    """How long one value is fresh, and how long it may be served while it is renewed."""

    ttl_s: float
    stale_s: float = 0.0
    early: float = 0.0
    """Renew before the end: 1 as early as it takes to compute, 0 never."""

    @property
    def whole_s(self) -> float:
        return self.ttl_s + self.stale_s


class Stored(NamedTuple):
    """A value as Redis has it."""

    payload: Payload
    stale_s: float
    cost_s: float


@dataclass(slots=True)
class Counts:
    """What one process did; errors are not misses, or the hit rate would lie."""

    l1_hits: int = 0
    l2_hits: int = 0
    misses: int = 0
    errors: int = 0
    sets: int = 0
    deletes: int = 0
    fills: int = 0
    failures: int = 0
    """Factories that failed."""
    stale: int = 0
    """Hits that were served past their time while being renewed."""
    rejected: int = 0
    """Values too large to keep."""

    @property
    def hits(self) -> int:
        return self.l1_hits + self.l2_hits

    @property
    def hit_rate(self) -> float | None:
        """Say the share of hits, or None before the first question."""
        asked = self.hits + self.misses
        return self.hits / asked if asked else None

    def plain(self) -> dict[str, int]:
        return asdict(self)


class CorruptError(OpsctlError):
    """What lies in Redis under our key is not ours, or was written by another serialiser."""

    code = "corrupt"


def seconds_of(ttl: float | str | None, lives: Mapping[str, float]) -> float:
    """Read a TTL: seconds, or a name of the table; nothing lives for ever."""
    if ttl is None:
        return lives.get("medium", Ttl.MEDIUM)
    if isinstance(ttl, str):
        if ttl not in lives:
            names = ", ".join(sorted(lives))
            raise UsageError(f"there is no TTL called {ttl!r}", hint=f"Use seconds, or: {names}.")
        return lives[ttl]
    if not ttl > 0:
        raise UsageError(f"a TTL of {ttl} s keeps nothing", hint="Use more than 0, or `delete`.")
    return float(ttl)
