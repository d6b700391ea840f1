"""Stand-ins for the tests of your own services: no server, and time that moves by hand."""

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
