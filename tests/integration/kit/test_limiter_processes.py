"""One limit over many processes: exact in every window, whatever their clocks say."""

import pytest

from opsctl.kit import Client, Policies, Rate
from opsctl.kit.limit_gate import Policy
from opsctl.systems.clock import SystemClock
from tests.engines.redis import OwnRedis
from tests.integration.kit.callers import Orders, call_together, worst_window
from tests.waiting import wait_for

TRUSTING = Policies("closed", after_restart="trust")


@pytest.mark.parametrize("bursts", [False, True], ids=["constant", "at the boundaries"])
def test_eight_processes_fill_every_window_exactly(redis_url: str, *, bursts: bool) -> None:
    rate = Rate("exact", 100, 1.0)
    orders = [
        Orders(redis_url, rate, 3.0, TRUSTING, bursts=bursts, skew_s=0.6 * (n % 2))
        for n in range(8)
    ]

    reports = call_together(orders)

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


@pytest.mark.parametrize(("when_away", "seconds"), [("closed", 8.0), ("local", 13.0)])
def test_a_restart_in_between_never_opens_the_gate(
    own_redis: OwnRedis, when_away: Policy, seconds: float
) -> None:
    server = own_redis()
    rate = Rate("restart", 20, 1.0)
    policies = Policies(when_away, processes=4)
    orders = [Orders(server.url(), rate, seconds, policies) for _ in range(4)]

    def restart() -> None:
        wait_for(lambda: server.cli("LLEN", "test:limit:restart") == "20", 10, "a full window")
        server.kill()
        server.start()
        wait_for(lambda: server.cli("LLEN", "test:limit:restart") == "20", 10, "another one")
        server.kill()
        server.start()

    reports = call_together(orders, restart)

    granted = [moment for report in reports for moment in report.granted]
    assert worst_window(granted, rate.window_s) <= rate.limit
    assert len(granted) >= 3 * rate.limit


def test_a_share_while_redis_is_gone_keeps_within_the_limit(own_redis: OwnRedis) -> None:
    server = own_redis()
    rate = Rate("away", 20, 1.0)
    orders = [Orders(server.url(), rate, 12.0, Policies("local", processes=4)) for _ in range(4)]
    clock = SystemClock()

    def take_away() -> None:
        wait_for(lambda: server.cli("LLEN", "test:limit:away") == "20", 10, "a full window")
        server.freeze()
        clock.sleep(3.0)
        server.thaw()

    reports = call_together(orders, take_away)

    granted = [moment for report in reports for moment in report.granted]
    shares = sum(len(report.by_share) for report in reports)
    assert worst_window(granted, rate.window_s) <= rate.limit
    assert shares >= rate.limit
    assert max(max(report.by_redis) for report in reports) > max(
        moment for report in reports for moment in report.by_share
    )


def test_a_log_that_is_wiped_is_taken_for_a_full_one(redis_url: str) -> None:
    rate = Rate("wiped", 20, 1.0)
    orders = [Orders(redis_url, rate, 3.0, TRUSTING) for _ in range(4)]

    def wipe() -> None:
        with Client(redis_url) as client:
            wait_for(lambda: client.call("LLEN", "test:limit:wiped") == 20, 10, "a full window")
            client.call("FLUSHDB")

    reports = call_together(orders, wipe)

    granted = [moment for report in reports for moment in report.granted]
    assert worst_window(granted, rate.window_s) <= rate.limit
