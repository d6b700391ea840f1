"""Rate limiters without Redis that follow the same rules, for one process alone."""

from collections.abc import Mapping

from opsctl.kit.limits.async_limiter import AsyncRateLimiter
from opsctl.kit.limits.limiter import RateLimiter
from opsctl.kit.limits.rates import PRESETS, Rate
from opsctl.kit.limits.state import LimitPolicies
from opsctl.kit.redis.async_client import AsyncRedisClient
from opsctl.kit.redis.client import RedisClient
from opsctl.kit.testing.clock import FakeClock

# One process: its share is the whole limit.
_ONE_PROCESS = LimitPolicies("local", processes=1)


def memory_limiter(clock: FakeClock, *, rates: Mapping[str, Rate] = PRESETS) -> RateLimiter:
    client = RedisClient(enabled=False, clock=clock)
    return RateLimiter(client, "test", policies=_ONE_PROCESS, rates=rates)


def async_memory_limiter(
    clock: FakeClock, *, rates: Mapping[str, Rate] = PRESETS
) -> AsyncRateLimiter:
    client = AsyncRedisClient(enabled=False, clock=clock)
    return AsyncRateLimiter(client, "test", policies=_ONE_PROCESS, rates=rates)
