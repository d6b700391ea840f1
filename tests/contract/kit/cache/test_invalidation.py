"""What several caches on one Redis make of it."""

from typing import Any

import pytest

from opsctl.errors import OpsctlError
from opsctl.kit import RedisClient
from tests.contract.kit.cache.conftest import Open, ready
from tests.contract.kit.forms import Form
from tests.waiting import wait_for


def test_hits_and_misses_are_counted_apart_from_errors(cache: Form) -> None:
    cache.set("k", 1)
    for key in ("k", "k", "k", "no"):
        cache.get(key)

    counts = cache.counts

    assert (counts.hits, counts.misses, counts.errors) == (3, 1, 0)


def test_changes_reach_the_memory_of_others(open_cache: Open) -> None:
    one, other = open_cache(), open_cache()
    ready(one)
    ready(other)

    def seen(expected: Any) -> bool:
        one.settle()
        return bool(one.get("k") == expected)

    for change, expected in (
        (lambda: other.set("k", 2), 2),
        (lambda: other.incr("k"), 3),
        (lambda: other.delete("k"), None),
        (lambda: other.set("k", 4), 4),
        (lambda: other.delete_pattern("k*"), None),
        (lambda: other.set("k", 5), 5),
        (other.clear, None),
    ):
        one.get("k")
        change()

        wait_for(lambda expected=expected: seen(expected), 30, f"{expected} to be seen")  # type: ignore[misc]  # bound on purpose


def test_a_value_in_memory_never_outlives_the_one_in_redis(open_cache: Open) -> None:
    # Memory alone would keep it for far longer.
    one, other = open_cache(), open_cache(memory_ttl_s=3600)
    ready(one)
    ready(other)
    one.set("k", 1, 60)

    def kept() -> float | None:
        other.get("k")
        other.settle()
        left: float | None = other.part._state.memory.left_s("k")
        return left

    left = wait_for(kept, 30, "the value in the other's memory")
    assert left is not None
    assert left <= 60


def test_a_foreign_value_under_our_key_is_an_error_and_is_replaced(
    open_cache: Open, redis_url: str
) -> None:
    cache = open_cache()
    with RedisClient(redis_url) as client:
        client.call("SET", "t:cache:k", b"\x80\x04\x95 a pickle", "EX", 60)
        client.call("RPUSH", "t:cache:list", "x")

    assert cache.get("k") is None
    assert cache.get("list") is None
    assert cache.get_or_set("k", lambda: 1) == 1
    assert cache.get("k") == 1
    assert cache.get_or_set("list", lambda: 1) == 1
    assert cache.counts.errors >= 3


def test_counting_what_is_no_number_is_an_error(open_cache: Open) -> None:
    cache = open_cache("redis")
    cache.set("k", "text")

    with pytest.raises(OpsctlError):
        cache.incr("k")
