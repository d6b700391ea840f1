"""Fakes for the tests of your own services: no server, and a clock that tests move."""

from opsctl.kit.testing.cache import async_memory_cache, memory_cache
from opsctl.kit.testing.clock import FakeClock
from opsctl.kit.testing.http import FakeHttp
from opsctl.kit.testing.limiter import async_memory_limiter, memory_limiter

__all__ = [
    "FakeClock",
    "FakeHttp",
    "async_memory_cache",
    "async_memory_limiter",
    "memory_cache",
    "memory_limiter",
]
