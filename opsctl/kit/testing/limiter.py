"""Limiters without Redis that keep the same rules, alone in their process."""

from collections.abc import Mapping

from opsctl.kit.async_client import AsyncClient
from opsctl.kit.client import Client
from opsctl.kit.limit_counts import Policies
from opsctl.kit.limiter import AsyncRateLimiter, RateLimiter
from opsctl.kit.rates import PRESETS, Rate
from opsctl.kit.testing.clock import FakeClock

# Nobody to share with: the share is the whole limit.
_ALONE = Policies("local", processes=1)


def memory_limiter(clock: FakeClock, *, rates: Mapping[str, Rate] = PRESETS) -> RateLimiter:
    client = Client(enabled=False, clock=clock)
    return RateLimiter(client, "test", policies=_ALONE, rates=rates)


def async_memory_limiter(
    clock: FakeClock, *, rates: Mapping[str, Rate] = PRESETS
) -> AsyncRateLimiter:
    client = AsyncClient(enabled=False, clock=clock)
    return AsyncRateLimiter(client, "test", policies=_ALONE, rates=rates)
