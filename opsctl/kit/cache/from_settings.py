"""Builds a cache from the settings."""

from typing import Any

from opsctl.kit.cache.model import Backend, CacheLimits
from opsctl.kit.cache.state import CacheOptions
from opsctl.kit.from_settings import redis_arguments
from opsctl.settings import Settings

_KIB = 1024


def cache_arguments(settings: Settings) -> tuple[dict[str, Any], CacheOptions, dict[str, Any]]:
    """Return the arguments of its client, its options, and the arguments of its breaker."""
    cache = settings.cache
    client = redis_arguments(settings)
    if url := cache.redis_url.get_secret_value():
        client["url"] = url
    options = CacheOptions(
        prefix=cache.prefix,
        backend=Backend(cache.backend),
        limits=CacheLimits(
            entries=cache.l1_max_entries,
            bytes=cache.l1_max_memory_mb * _KIB * _KIB,
            memory_ttl_s=cache.l1_ttl_s,
            value_bytes=cache.max_value_kb * _KIB,
            compress_over=round(cache.compress_over_kb * _KIB),
            jitter=cache.jitter_percent / 100,
            lock_s=cache.compute_lock_s,
            wait_s=cache.compute_wait_s,
            report_every_s=cache.report_every_s,
        ),
        ttls=cache.lives,
    )
    breaker = {
        "threshold": cache.breaker_threshold,
        "recovery_s": cache.breaker_recovery_s,
    }
    return client, options, breaker
