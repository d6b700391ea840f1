"""Caches in memory, on a clock that a test moves."""

from opsctl.kit.cache.async_cache import AsyncCache
from opsctl.kit.cache.cache import Cache
from opsctl.kit.cache.layers import Setup
from opsctl.kit.testing.clock import FakeClock


def memory_cache(clock: FakeClock | None = None, setup: Setup | None = None) -> Cache:
    return Cache(setup=setup, clock=clock or FakeClock())


def async_memory_cache(clock: FakeClock | None = None, setup: Setup | None = None) -> AsyncCache:
    return AsyncCache(setup=setup, clock=clock or FakeClock())
