"""Section `cache`: the cache that the stack's services share."""

import re
from collections.abc import Mapping
from typing import Literal

from opsctl.settings.secret import Secret
from opsctl.settings.section import Section, setting

_TTL = r"(?P<name>[a-z0-9][a-z0-9_.-]*)=(?P<seconds>\d+(\.\d+)?)\Z"
_DEFAULT_TTLS = (
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


def _check_ttls(ttls: tuple[str, ...]) -> None:
    for text in ttls:
        match = re.match(_TTL, text)
        if match is None or not float(match["seconds"]):
            raise ValueError(f"{text!r} should be a name and seconds, such as news=900")


class CacheSettings(Section):
    """The cache that the stack's services share."""

    backend: Literal["memory", "redis", "layered"] = setting(
        "memory", "memory, redis, or layered (memory in front of redis).", env=("CACHE_BACKEND",)
    )
    redis_url: Secret = setting(
        Secret(""),
        "redis://host:port/db of the cache; empty means the Redis of the stack.",
        env=("CACHE_REDIS_URL",),
    )
    prefix: str = setting(
        "opsctl", "Prefix of the cache's keys in Redis.", env=("CACHE_PREFIX",), min_length=1
    )
    l1_max_entries: int = setting(
        1000, "Most entries in memory.", env=("CACHE_L1_MAX_ENTRIES",), ge=1
    )
    l1_max_memory_mb: int = setting(
        100, "Most MiB in memory.", env=("CACHE_L1_MAX_MEMORY_MB",), ge=1
    )
    l1_ttl_s: float = setting(
        60.0, "Longest TTL in memory, whatever the TTL in Redis.", gt=0, le=86400
    )
    ttls: tuple[str, ...] = setting(
        _DEFAULT_TTLS,
        "TTLs by name, in seconds: presets, and one per type of data.",
        check=_check_ttls,
    )
    max_value_kb: int = setting(1024, "Values above this many KiB are not cached.", ge=1, le=65536)
    compress_over_kb: float = setting(
        4.0, "Values above this many KiB are compressed in Redis; 0 compresses none.", ge=0
    )
    jitter_percent: float = setting(
        5.0,
        "TTLs of computed values are shortened at random by up to this percentage.",
        ge=0,
        le=50,
    )
    compute_lock_s: float = setting(
        30.0,
        "Longest time one process may take to compute a value that others wait for.",
        gt=0,
        le=3600,
    )
    compute_wait_s: float = setting(
        10.0,
        "Longest wait for a value that another process computes; then it is computed here.",
        gt=0,
        le=3600,
    )
    report_every_s: float = setting(
        10.0, "How often each process publishes its hits and misses.", gt=0, le=3600
    )
    hit_rate_warn_percent: float = setting(
        70.0, "Hit rate in percent below which `opsctl cache health` warns.", ge=0, le=100
    )
    breaker_threshold: int = setting(5, "Consecutive failures that open the circuit breaker.", ge=1)
    breaker_recovery_s: float = setting(
        60.0, "How long an open circuit breaker keeps away from Redis.", gt=0, le=3600
    )

    @property
    def lives(self) -> Mapping[str, float]:
        """TTLs by name; the last one of a name wins."""
        pairs = (text.split("=") for text in self.ttls)
        return {name: float(seconds) for name, seconds in pairs}
