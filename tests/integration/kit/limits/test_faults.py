"""What a limit does in each fault of Redis, and how long that takes."""

import asyncio
import logging
from collections.abc import Callable

import pytest

from opsctl.kit import (
    AsyncRateLimiter,
    AsyncRedisClient,
    LimitedError,
    LimitPolicies,
    RateLimiter,
    RedisClient,
)
from opsctl.kit.limits.fallback import UnavailablePolicy
from opsctl.kit.limits.rates import Rate
from opsctl.systems.clock import SystemClock
from tests.engines.redis import OwnRedis, RedisServer
from tests.integration.kit.conftest import QUICK, MakeClient
from tests.slow_line import slow_line
from tests.waiting import wait_for

RATE = Rate("fault", 8, 0.5)
Break = Callable[[OwnRedis], str]


def killed(own_redis: OwnRedis) -> str:
    server = own_redis()
    server.kill()
    return server.url()


def hung(own_redis: OwnRedis) -> str:
    server = own_redis()
    server.freeze()
    return server.url()


def replica(own_redis: OwnRedis) -> str:
    master = own_redis()
    server = own_redis(config=[f"replicaof {master.address.host} {master.address.port}"])
    wait_for(lambda: "link_status:up" in server.cli("INFO", "replication"), 10, "the replica")
    return server.url()


def full(own_redis: OwnRedis) -> str:
    server = own_redis()
    server.cli("CONFIG", "SET", "maxmemory", "1")
    return server.url()


def wrong_password(own_redis: OwnRedis) -> str:
    return own_redis(password="r1ght").url().replace("r1ght", "wr0ng")


def no_rights(own_redis: OwnRedis) -> str:
    server = own_redis()
    server.cli("ACL", "SETUSER", "poor", "on", "nopass", "~*", "+ping", "+client")
    return server.url().replace("redis://", "redis://poor:x@")


FAULTS = [killed, hung, replica, full, wrong_password, no_rights]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
@pytest.mark.parametrize(("policy", "calls"), [("closed", 0), ("local", 2), ("open", 20)], ids=str)
def test_the_policy_decides_in_every_fault(
    client_of: MakeClient,
    own_redis: OwnRedis,
    *,
    fault: Break,
    policy: UnavailablePolicy,
    calls: int,
) -> None:
    client, clock = client_of(fault(own_redis)), SystemClock()
    limiter = RateLimiter(client, "test", policies=LimitPolicies(policy, processes=4))
    began = clock.steady()
    limiter.allow(RATE)
    first_s = clock.steady() - began
    # Before a share is used, a window must pass in which Redis may have granted all.
    clock.sleep(RATE.window_s)
    began = clock.steady()

    allowed = [limiter.allow(RATE).allowed for _ in range(20)]

    assert allowed.count(True) == calls
    assert first_s < QUICK.answer_s + 0.5
    assert clock.steady() - began < 0.5


@pytest.mark.parametrize(("delay_s", "allowed"), [(0.02, 8), (0.5, 0)], ids=["late", "too late"])
def test_a_slow_connection_is_used_within_the_deadline(
    client_of: MakeClient, redis_url: str, *, delay_s: float, allowed: int
) -> None:
    with slow_line(redis_url, delay_s) as line:
        client = client_of(line.url)
        limiter = RateLimiter(
            client, "test", policies=LimitPolicies("closed", after_restart="trust")
        )

        decisions = [limiter.allow(Rate("slow", 8, 60.0)).allowed for _ in range(10)]

        assert decisions.count(True) == allowed
        client.close()


def test_waiting_on_a_closed_limit_ends_after_max_wait(
    client_of: MakeClient, own_redis: OwnRedis
) -> None:
    limiter = RateLimiter(client_of(killed(own_redis)), policies=LimitPolicies("closed"))
    clock = SystemClock()
    began = clock.steady()

    with pytest.raises(LimitedError) as refused:
        limiter.wait(RATE, max_wait=0.5)

    assert refused.value.why == "Redis is unavailable"
    assert 0.5 <= clock.steady() - began < 1.5


def test_a_fault_and_its_end_are_logged_once(
    client_of: MakeClient, own_redis: OwnRedis, caplog: pytest.LogCaptureFixture
) -> None:
    server: RedisServer = own_redis()
    client = client_of(server)
    limiter = RateLimiter(client, policies=LimitPolicies("closed", after_restart="trust"))
    limiter.allow(RATE)
    server.freeze()

    with caplog.at_level(logging.INFO, "opsctl.kit"):
        for _ in range(50):
            limiter.allow(RATE)
        server.thaw()
        wait_for(lambda: limiter.allow(RATE).allowed, 10, "the limit to be shared again")

    said = [record.message for record in caplog.records]
    assert sorted(said) == sorted(
        [
            "redis is unavailable",
            "limits are not shared",
            "redis is available again",
            "limits are shared again",
        ]
    )


def test_switched_off_keeps_a_share_from_the_first_call() -> None:
    with RedisClient(enabled=False) as client:
        limiter = RateLimiter(client, policies=LimitPolicies("local", processes=2))

        allowed = [limiter.allow(RATE).allowed for _ in range(8)]

    assert allowed.count(True) == 4


@pytest.mark.parametrize("fault", [killed, hung, no_rights], ids=lambda fault: fault.__name__)
def test_awaited_limits_do_the_same(own_redis: OwnRedis, *, fault: Break) -> None:
    url, clock = fault(own_redis), SystemClock()

    async def run() -> int:
        async with AsyncRedisClient(url, service="test", limits=QUICK) as client:
            limiter = AsyncRateLimiter(client, policies=LimitPolicies("local", processes=4))
            await limiter.allow(RATE)
            await clock.rest(RATE.window_s)
            return sum([(await limiter.allow(RATE)).allowed for _ in range(20)])

    assert asyncio.run(run()) == 2
