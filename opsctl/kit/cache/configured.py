"""From the settings to the parts of a cache."""

from typing import Any

from opsctl.kit.cache.layers import Setup
from opsctl.kit.cache.model import Backend, CacheLimits
from opsctl.kit.configured import redis_arguments
from opsctl.settings import Settings

_KIB = 1024


def cache_parts(settings: Settings) -> tuple[dict[str, Any], Setup, dict[str, Any]]:
    """Give the arguments of its client, what it is made of, and the rules of its breaker."""
    cache = settings.cache
    arguments = redis_arguments(settings)
    if url := cache.redis_url.get_secret_value():
        arguments["url"] = url
    setup = Setup(
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
        lives=cache.lives,
    )
    rules = {
        "threshold": cache.breaker_threshold,
        "recovery_s": cache.breaker_recovery_s,
    }
    return arguments, setup, rules
