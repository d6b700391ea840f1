"""Who is asked for a call, as Redis comes and goes."""

import pytest

from opsctl.kit.limit_gate import Ask, Gate, Policy
from opsctl.kit.presence import LONGEST_PAUSE_S
from opsctl.kit.rates import Rate

SHORT = Rate("short", 5, 1.0)
LONG = Rate("long", 100, 60.0)


def lost(policy: Policy, *, at: float = 10.0) -> Gate:
    """A gate that Redis served until `at`."""
    gate = Gate(policy, enabled=True)
    gate.served(at)
    gate.failed(at)
    return gate


def test_redis_is_asked_as_long_as_it_serves() -> None:
    gate = Gate("local", enabled=True)

    assert gate.way(SHORT, 0.0, there=True).ask is Ask.REDIS


def test_without_redis_by_settings_shares_count_from_the_start() -> None:
    gate = Gate("local", enabled=False)

    assert gate.way(SHORT, 0.0, there=False).ask is Ask.SHARE


def test_shares_begin_a_window_after_redis_may_have_granted_its_last() -> None:
    gate = lost("local")

    early, later = gate.way(SHORT, 10.9, there=False), gate.way(SHORT, 11.0, there=False)

    assert (early.ask, later.ask) == (Ask.NOBODY, Ask.SHARE)
    assert early.shut_s == pytest.approx(0.1)


def test_closed_asks_nobody_and_open_asks_for_nothing() -> None:
    closed, opened = lost("closed"), lost("open")

    assert closed.way(SHORT, 99.0, there=False).ask is Ask.NOBODY
    assert opened.way(SHORT, 10.0, there=False).ask is Ask.EVERYBODY


def test_a_redis_that_is_back_is_tried_without_taking_a_place() -> None:
    gate = lost("local")

    way = gate.way(SHORT, 10.0 + LONGEST_PAUSE_S, there=True)

    assert way.ask is Ask.PEEK


def test_after_shares_redis_waits_for_the_slowest_process_and_a_window() -> None:
    gate = lost("local")
    gate.served(30.0)

    early = gate.way(SHORT, 30.0 + LONGEST_PAUSE_S + 0.9, there=True)
    later = gate.way(SHORT, 30.0 + LONGEST_PAUSE_S + 1.0, there=True)

    assert (early.ask, later.ask) == (Ask.NOBODY, Ask.REDIS)


def test_an_outage_shorter_than_the_window_left_no_shares_to_wait_for() -> None:
    gate = lost("local")
    gate.served(15.0)

    assert gate.way(LONG, 15.0, there=True).ask is Ask.REDIS
    assert gate.way(SHORT, 15.0, there=True).ask is Ask.NOBODY


def test_closed_goes_straight_back_to_redis() -> None:
    gate = lost("closed")
    gate.served(30.0)

    assert gate.way(SHORT, 30.0, there=True).ask is Ask.REDIS


def test_a_second_outage_during_the_way_back_does_not_hide_the_first() -> None:
    gate = lost("local")
    gate.served(30.0)
    gate.failed(30.1)
    gate.served(30.2)

    assert gate.way(SHORT, 30.2, there=True).ask is Ask.NOBODY


def test_a_limiter_that_redis_refuses_does_not_ask_at_every_call() -> None:
    gate = lost("local", at=10.0)

    asked = [gate.way(SHORT, 10.0 + tenth / 10, there=True).ask for tenth in range(19)]

    assert Ask.PEEK not in asked
