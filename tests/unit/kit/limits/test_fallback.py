"""Who is asked for a call, as Redis comes and goes."""

import pytest

from opsctl.kit.limits.fallback import LimitSource, RedisFallback, UnavailablePolicy
from opsctl.kit.limits.rates import Rate
from opsctl.kit.redis.availability import LONGEST_PAUSE_S

SHORT = Rate("short", 5, 1.0)
LONG = Rate("long", 100, 60.0)


def lost(policy: UnavailablePolicy, *, at: float = 10.0) -> RedisFallback:
    """A fallback that Redis served until `at`."""
    fallback = RedisFallback(policy, enabled=True)
    fallback.mark_served(at)
    fallback.mark_failed(at)
    return fallback


def test_redis_is_asked_as_long_as_it_serves() -> None:
    fallback = RedisFallback("local", enabled=True)

    assert fallback.choose_route(SHORT, 0.0, available=True).source is LimitSource.REDIS


def test_without_redis_by_settings_shares_count_from_the_start() -> None:
    fallback = RedisFallback("local", enabled=False)

    assert fallback.choose_route(SHORT, 0.0, available=False).source is LimitSource.SHARE


def test_shares_begin_a_window_after_redis_may_have_granted_its_last() -> None:
    fallback = lost("local")

    early, later = (
        fallback.choose_route(SHORT, 10.9, available=False),
        fallback.choose_route(SHORT, 11.0, available=False),
    )

    assert (early.source, later.source) == (LimitSource.REFUSE_ALL, LimitSource.SHARE)
    assert early.closed_s == pytest.approx(0.1)


def test_closed_refuses_all_and_open_allows_all() -> None:
    closed, opened = lost("closed"), lost("open")

    assert closed.choose_route(SHORT, 99.0, available=False).source is LimitSource.REFUSE_ALL
    assert opened.choose_route(SHORT, 10.0, available=False).source is LimitSource.ALLOW_ALL


def test_a_redis_that_is_back_is_tried_without_taking_a_place() -> None:
    fallback = lost("local")

    way = fallback.choose_route(SHORT, 10.0 + LONGEST_PAUSE_S, available=True)

    assert way.source is LimitSource.PROBE


def test_after_shares_redis_waits_for_the_slowest_process_and_a_window() -> None:
    fallback = lost("local")
    fallback.mark_served(30.0)

    early = fallback.choose_route(SHORT, 30.0 + LONGEST_PAUSE_S + 0.9, available=True)
    later = fallback.choose_route(SHORT, 30.0 + LONGEST_PAUSE_S + 1.0, available=True)

    assert (early.source, later.source) == (LimitSource.REFUSE_ALL, LimitSource.REDIS)


def test_an_outage_shorter_than_the_window_left_no_shares_to_wait_for() -> None:
    fallback = lost("local")
    fallback.mark_served(15.0)

    assert fallback.choose_route(LONG, 15.0, available=True).source is LimitSource.REDIS
    assert fallback.choose_route(SHORT, 15.0, available=True).source is LimitSource.REFUSE_ALL


def test_closed_goes_straight_back_to_redis() -> None:
    fallback = lost("closed")
    fallback.mark_served(30.0)

    assert fallback.choose_route(SHORT, 30.0, available=True).source is LimitSource.REDIS


def test_a_second_outage_during_the_way_back_does_not_hide_the_first() -> None:
    fallback = lost("local")
    fallback.mark_served(30.0)
    fallback.mark_failed(30.1)
    fallback.mark_served(30.2)

    assert fallback.choose_route(SHORT, 30.2, available=True).source is LimitSource.REFUSE_ALL


def test_a_limiter_that_redis_refuses_does_not_ask_at_every_call() -> None:
    fallback = lost("local", at=10.0)

    asked = [
        fallback.choose_route(SHORT, 10.0 + tenth / 10, available=True).source
        for tenth in range(19)
    ]

    assert LimitSource.PROBE not in asked
