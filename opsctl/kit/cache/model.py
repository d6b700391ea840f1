"""The types of the cache: limits, TTLs, expiry, counts."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import Enum, StrEnum
from typing import NamedTuple

from opsctl.errors import OpsctlError, UsageError

Payload = bytes | int
"""A value as it is stored: serialised, or a plain number, so that Redis can count."""


class Missing(Enum):
    """Stands for no value, so that None can be one."""

    MISSING = "missing"


MISSING = Missing.MISSING


class Backend(StrEnum):
    MEMORY = "memory"
    REDIS = "redis"
    LAYERED = "layered"


class Ttl:
    """General TTLs in seconds."""

    SHORT = 60.0
    MEDIUM = 600.0
    LONG = 3600.0
    DAILY = 86400.0


TTL_PRESETS: Mapping[str, float] = {
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
    """Longest TTL in memory, which bounds the effect of a lost invalidation."""
    value_bytes: int = 1024 * 1024
    compress_over: int = 4096
    jitter: float = 0.05
    lock_s: float = 30.0
    wait_s: float = 10.0
    report_every_s: float = 10.0


@dataclass(frozen=True, slots=True)
class Expiry:
    """How long a value is fresh, and how long it may be served stale while it is refreshed."""

    ttl_s: float
    stale_s: float = 0.0
    early: float = 0.0
    """Refresh before the end: 1 about as early as computing takes, 0 never."""

    @property
    def total_s(self) -> float:
        return self.ttl_s + self.stale_s


class StoredValue(NamedTuple):
    """A value as Redis stores it."""

    payload: Payload
    stale_s: float
    cost_s: float


@dataclass(slots=True)
class CacheCounts:
    """What one process did. Errors are not misses, which keeps the hit rate true."""

    l1_hits: int = 0
    l2_hits: int = 0
    misses: int = 0
    errors: int = 0
    sets: int = 0
    deletes: int = 0
    fills: int = 0
    """Values that were computed."""
    failures: int = 0
    """Factories that failed."""
    stale: int = 0
    """Hits that were served stale while being refreshed."""
    rejected: int = 0
    """Values that were too large to store."""

    @property
    def hits(self) -> int:
        return self.l1_hits + self.l2_hits

    @property
    def hit_rate(self) -> float | None:
        """The share of hits; None before the first lookup."""
        lookups = self.hits + self.misses
        return self.hits / lookups if lookups else None

    def as_dict(self) -> dict[str, int]:
        return asdict(self)


class CorruptValueError(OpsctlError):
    """A value in Redis was not written by this cache, or by one with another serialiser."""

    code = "corrupt"


def ttl_seconds(ttl: float | str | None, ttls: Mapping[str, float]) -> float:
    """Convert a TTL (seconds, or a name) to seconds; there is no TTL without an end."""
    if ttl is None:
        return ttls.get("medium", Ttl.MEDIUM)
    if isinstance(ttl, str):
        if ttl not in ttls:
            names = ", ".join(sorted(ttls))
            raise UsageError(f"cannot find the TTL {ttl!r}", hint=f"Use seconds, or: {names}.")
        return ttls[ttl]
    if not ttl > 0:
        raise UsageError(f"cannot use a TTL of {ttl} s", hint="Use more than 0, or `delete`.")
    return float(ttl)
