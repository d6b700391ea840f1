"""One suite over the limiter on a real Redis, alone in memory, and both awaited."""

import asyncio
from collections.abc import Iterator

import pytest

from opsctl.errors import UsageError
from opsctl.kit import (
    AsyncRateLimiter,
    AsyncRedisClient,
    LimitDecision,
    LimitedError,
    LimitPolicies,
    Rate,
    RateLimiter,
    RedisClient,
)
from opsctl.kit.testing import FakeClock, async_memory_limiter, memory_limiter
from opsctl.systems.redis.client import RedisLimits

# The worker's server may have started a moment ago.
TRUSTING = LimitPolicies(after_restart="trust")
IN_TIME = RedisLimits(20.0, 4)
RATE = Rate("orders", 5, 1.0)
SLOW = Rate("slow", 1, 100.0)


class Awaited:
    """An AsyncRateLimiter in the words of the other one."""

    def __init__(self, runner: asyncio.Runner, limiter: AsyncRateLimiter) -> None:
        self._runner = runner
        self._limiter = limiter

    def allow(self, rate: Rate | str) -> LimitDecision:
        return self._runner.run(self._limiter.allow(rate))

    def wait(self, rate: Rate | str, max_wait: float) -> LimitDecision:
        return self._runner.run(self._limiter.wait(rate, max_wait))


Limiter = RateLimiter | Awaited


@pytest.fixture(params=["redis", "memory", "redis awaited", "memory awaited"])
def limiter(request: pytest.FixtureRequest) -> Iterator[Limiter]:
    with asyncio.Runner() as runner:
        if request.param == "memory":
            yield memory_limiter(FakeClock())
        elif request.param == "memory awaited":
            yield Awaited(runner, async_memory_limiter(FakeClock()))
        elif request.param == "redis":
            with RedisClient(request.getfixturevalue("redis_url"), limits=IN_TIME) as client:
                yield RateLimiter(client, "test", policies=TRUSTING)
        else:
            awaited = AsyncRedisClient(request.getfixturevalue("redis_url"), limits=IN_TIME)
            yield Awaited(runner, AsyncRateLimiter(awaited, "test", policies=TRUSTING))
            runner.run(awaited.close())


def test_as_many_calls_as_the_limit_are_allowed_and_no_more(limiter: Limiter) -> None:
    decisions = [limiter.allow(Rate("orders", 5, 100.0)) for _ in range(7)]

    assert [allowed for allowed, _, _ in decisions] == [True] * 5 + [False] * 2
    assert [remaining for _, remaining, _ in decisions] == [4, 3, 2, 1, 0, 0, 0]


def test_a_refusal_says_when_there_is_room_again(limiter: Limiter) -> None:
    limiter.allow(SLOW)

    allowed, remaining, retry_after = limiter.allow(SLOW)

    assert (allowed, remaining) == (False, 0)
    assert 50.0 < retry_after <= 100.0


def test_waiting_lasts_until_the_call_is_allowed(limiter: Limiter) -> None:
    for _ in range(5):
        limiter.allow(RATE)

    decision = limiter.wait(RATE, max_wait=30.0)

    assert decision.allowed
    assert decision.retry_after == 0.0


def test_waiting_longer_than_one_wants_is_refused_at_once(limiter: Limiter) -> None:
    limiter.allow(SLOW)

    with pytest.raises(LimitedError, match="rate limit slow 1/100s in time") as refused:
        limiter.wait(SLOW, max_wait=50.0)

    assert 50.0 < refused.value.retry_after_s <= 100.0


def test_a_refused_wait_takes_no_place(limiter: Limiter) -> None:
    rate = Rate("twice", 1, 2.0)
    limiter.allow(rate)
    with pytest.raises(LimitedError):
        limiter.wait(rate, max_wait=0.1)

    # Behind a place that was taken it would be two windows.
    decision = limiter.wait(rate, max_wait=2.0)

    assert decision.allowed


def test_subjects_are_counted_apart(limiter: Limiter) -> None:
    limiter.allow(SLOW.of("one"))

    assert not limiter.allow(SLOW.of("one")).allowed
    assert limiter.allow(SLOW.of("two")).allowed


def test_a_preset_goes_by_its_name(limiter: Limiter) -> None:
    assert limiter.allow("kis") == LimitDecision(allowed=True, remaining=4, retry_after=0.0)


def test_a_name_nobody_gave_is_refused_with_those_there_are(limiter: Limiter) -> None:
    with pytest.raises(UsageError, match="cannot find the rate 'kiss'") as refused:
        limiter.allow("kiss")

    assert "kis_rest" in refused.value.hint


def test_a_limit_above_the_longest_log_is_split(limiter: Limiter) -> None:
    large = Rate("large", 30_000, 300.0)

    decisions = [limiter.allow(large).remaining for _ in range(3)]

    assert decisions == [9_999, 9_998, 9_997]
