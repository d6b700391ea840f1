"""Section `cache`: the cache that the stack's services share."""

import re
from collections.abc import Mapping
from typing import Literal

from opsctl.settings.secret import Secret
from opsctl.settings.section import Section, setting

_LIFE = r"(?P<name>[a-z0-9][a-z0-9_.-]*)=(?P<seconds>\d+(\.\d+)?)\Z"
_LIVES = (
    "short=60",
    "medium=600",
    "long=3600",
    "daily=86400",
    "hot_stocks=300",
    "stock_detail=300",
    "news=900",
    "chart_5d=300",
    "chart_1m=1800",
    "chart_3m=3600",
    "briefing_detail=3600",
    "briefing_list=600",
    "embedding=86400",
    "search=3600",
    "price=0.1",
    "position=1",
    "orderbook=0.05",
    "risk=5",
    "order=60",
    "strategy=60",
)


def _named_lives(lives: tuple[str, ...]) -> None:
    for each in lives:
        found = re.match(_LIFE, each)
        if found is None or not float(found["seconds"]):
            raise ValueError(f"{each!r} should be a name and seconds, such as news=900")


class CacheSettings(Section):
    """The cache that the stack's services share."""

    backend: Literal["memory", "redis", "layered"] = setting(
        "memory", "memory, redis, or layered (memory in front of redis).", env=("CACHE_BACKEND",)
    )
    redis_url: Secret = setting(
        Secret(""),
        "redis://host:port/db of the cache; empty means the stack's own Redis.",
        env=("CACHE_REDIS_URL",),
    )
    prefix: str = setting(
        "opsctl", "First part of the cache's keys in Redis.", env=("CACHE_PREFIX",), min_length=1
    )
    l1_max_entries: int = setting(
        1000, "Most entries held in memory.", env=("CACHE_L1_MAX_ENTRIES",), ge=1
    )
    l1_max_memory_mb: int = setting(
        100, "Most MiB held in memory.", env=("CACHE_L1_MAX_MEMORY_MB",), ge=1
    )
    l1_ttl_s: float = setting(
        60.0, "Longest life in memory, whatever the TTL in Redis.", gt=0, le=86400
    )
    ttls: tuple[str, ...] = setting(
        _LIVES,
        "TTLs by name, in seconds: presets, and one for each type of data.",
        check=_named_lives,
    )
    max_value_kb: int = setting(1024, "Larger values are not cached.", ge=1, le=65536)
    compress_over_kb: float = setting(
        4.0, "Larger values are compressed in Redis; 0 compresses none.", ge=0
    )
    jitter_percent: float = setting(
        5.0, "TTLs of computed values are shortened by up to this share.", ge=0, le=50
    )
    lock_s: float = setting(
        30.0, "Longest time one process may take to compute a value for all.", gt=0, le=3600
    )
    wait_s: float = setting(
        10.0, "Longest wait for a value that another computes; then it is computed.", gt=0, le=3600
    )
    report_every_s: float = setting(
        10.0, "How often each process publishes its hits and misses.", gt=0, le=3600
    )
    goal_percent: float = setting(70.0, "Hit rate below which `opsctl cache` warns.", ge=0, le=100)
    breaker_threshold: int = setting(5, "Failures in a row that open the breaker.", ge=1)
    breaker_recovery_s: float = setting(
        60.0, "How long an open breaker keeps from Redis.", gt=0, le=3600
    )

    @property
    def lives(self) -> Mapping[str, float]:
        """TTLs by name; the last one of a name counts."""
        pairs = (each.split("=") for each in self.ttls)
        return {name: float(seconds) for name, seconds in pairs}
