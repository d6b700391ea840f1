"""One limit over many processes: exact in every window, whatever their clocks say."""

import pytest

from opsctl.kit import LimitPolicies, Rate, RedisClient
from opsctl.kit.limits.fallback import UnavailablePolicy
from opsctl.systems.redis.client import RedisLimits
from tests.engines.redis import OwnRedis
from tests.integration.kit.limits.calling_processes import (
    Orders,
    Progress,
    call_together,
    worst_window,
)
from tests.waiting import wait_for

TRUSTING = LimitPolicies("closed", after_restart="trust")
# Callers end when a test has seen enough; this only ends a hang.
LONGEST_S = 90.0


@pytest.mark.parametrize("bursts", [False, True], ids=["constant", "at the boundaries"])
def test_eight_processes_fill_every_window_exactly(redis_url: str, *, bursts: bool) -> None:
    rate = Rate("exact", 100, 1.0)
    orders = [
        Orders(redis_url, rate, LONGEST_S, TRUSTING, bursts=bursts, skew_s=0.6 * (n % 2))
        for n in range(8)
    ]

    def fill(progress: Progress) -> None:
        with RedisClient(redis_url, limits=RedisLimits(30.0, 2)) as client:
            for windows in (1, 2, 3):
                wait_for(lambda: progress.granted >= windows * rate.limit, 60, "calls")  # noqa: B023 - asked at once
                wait_for(lambda: client.call("LLEN", "test:limit:exact") == 100, 60, "a full one")
        progress.enough.set()

    reports = call_together(orders, fill)

    granted = [moment for report in reports for moment in report.granted]
    assert worst_window(granted, rate.window_s) == rate.limit
    assert len(granted) >= 2 * rate.limit


def test_waiting_costs_hardly_more_than_a_call_and_passes_nobody_over(redis_url: str) -> None:
    rate = Rate("fair", 5, 0.5)
    orders = [
        Orders(redis_url, rate, 3.0, TRUSTING, waits=True, skew_s=0.6 * (n % 2)) for n in range(8)
    ]

    reports = call_together(orders)

    granted = sorted(moment for report in reports for moment in report.granted)
    # The first window belongs to whoever comes first; from then on all of them wait.
    queued = [sum(m >= granted[0] + 0.5 for m in report.granted) for report in reports]
    assert worst_window(granted, rate.window_s) <= rate.limit
    assert sum(report.calls for report in reports) <= 1.2 * len(granted)
    assert max(queued) - min(queued) <= 2
    # Eight callers, five places in half a second: whoever waits comes within two windows.
    assert max(wait for report in reports for wait in report.waits) < 1.5


@pytest.mark.parametrize("when_unavailable", ["closed", "local"])
def test_a_restart_in_between_never_opens_the_limit(
    own_redis: OwnRedis, when_unavailable: UnavailablePolicy
) -> None:
    server = own_redis()
    rate = Rate("restart", 20, 1.0)
    policies = LimitPolicies(when_unavailable, processes=4)
    orders = [Orders(server.url(), rate, LONGEST_S, policies) for _ in range(4)]

    def restart(progress: Progress) -> None:
        wait_for(lambda: server.cli("LLEN", "test:limit:restart") == "20", 30, "a full window")
        server.kill()
        server.start()
        wait_for(lambda: server.cli("LLEN", "test:limit:restart") == "20", 30, "another one")
        server.kill()
        server.start()
        before = progress.by_redis.value
        wait_for(
            lambda: progress.granted >= 3 * rate.limit and progress.by_redis.value > before,
            60,
            "calls after the last restart",
        )
        progress.enough.set()

    reports = call_together(orders, restart)

    granted = [moment for report in reports for moment in report.granted]
    assert worst_window(granted, rate.window_s) <= rate.limit
    assert len(granted) >= 3 * rate.limit


def test_a_share_while_redis_is_gone_keeps_within_the_limit(own_redis: OwnRedis) -> None:
    server = own_redis()
    rate = Rate("away", 20, 1.0)
    policies = LimitPolicies("local", processes=4)
    orders = [Orders(server.url(), rate, LONGEST_S, policies) for _ in range(4)]

    def take_away(progress: Progress) -> None:
        wait_for(lambda: server.cli("LLEN", "test:limit:away") == "20", 30, "a full window")
        server.freeze()
        wait_for(lambda: progress.by_share.value >= rate.limit, 60, "shares")
        server.thaw()
        before = progress.by_redis.value
        wait_for(lambda: progress.by_redis.value >= before + rate.limit, 60, "Redis to be asked")
        progress.enough.set()

    reports = call_together(orders, take_away)

    granted = [moment for report in reports for moment in report.granted]
    shares = sum(len(report.by_share) for report in reports)
    assert worst_window(granted, rate.window_s) <= rate.limit
    assert shares >= rate.limit
    # One caller may have had nothing from Redis: together they went back to it.
    by_redis = [moment for report in reports for moment in report.by_redis]
    assert max(by_redis) > max(moment for report in reports for moment in report.by_share)


def test_a_log_that_is_wiped_is_taken_for_a_full_one(redis_url: str) -> None:
    rate = Rate("wiped", 20, 1.0)
    orders = [Orders(redis_url, rate, LONGEST_S, TRUSTING) for _ in range(4)]

    def wipe(progress: Progress) -> None:
        with RedisClient(redis_url, limits=RedisLimits(30.0, 2)) as client:
            wait_for(lambda: client.call("LLEN", "test:limit:wiped") == 20, 30, "a full window")
            client.call("FLUSHDB")
        wait_for(lambda: progress.granted >= 2 * rate.limit, 60, "calls after it")
        progress.enough.set()

    reports = call_together(orders, wipe)

    granted = [moment for report in reports for moment in report.granted]
    assert worst_window(granted, rate.window_s) <= rate.limit
