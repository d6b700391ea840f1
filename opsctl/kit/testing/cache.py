"""Caches in memory, on a clock that a test moves."""

from opsctl.kit.cache.async_cache import AsyncCache
from opsctl.kit.cache.cache import Cache
from opsctl.kit.cache.state import CacheOptions
from opsctl.kit.testing.clock import FakeClock


def memory_cache(clock: FakeClock | None = None, options: CacheOptions | None = None) -> Cache:
    return Cache(options=options, clock=clock or FakeClock())


def async_memory_cache(
    clock: FakeClock | None = None, options: CacheOptions | None = None
) -> AsyncCache:
    return AsyncCache(options=options, clock=clock or FakeClock())
