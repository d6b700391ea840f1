"""Reading and writing: what holds of one form and backend holds of all."""

from typing import Any

import pytest

from opsctl.errors import UsageError
from opsctl.kit import MISSING
from tests.contract.kit.forms import Form
from tests.waiting import wait_for

VALUES: list[Any] = [None, True, 0, -5, 1.5, "삼성전자", [1, [2]], {"a": {"b": None}}, "q" * 9000]


def test_every_value_comes_back_as_it_is(cache: Form) -> None:
    for value in VALUES:
        assert cache.set("k", value) is True
        assert cache.get("k", MISSING) == value
        assert cache.get_many(["k"]) == {"k": value}


def test_a_missing_value_is_the_default_and_none_differs_from_it(cache: Form) -> None:
    cache.set("none", None)

    assert cache.get("no") is None
    assert cache.get("no", 7) == 7
    assert cache.get("no", MISSING) is MISSING
    assert cache.get("none", MISSING) is None


def test_a_value_handed_out_can_be_changed_without_harm(cache: Form) -> None:
    cache.set("k", {"list": [1]})

    cache.get("k")["list"].append(2)

    assert cache.get("k") == {"list": [1]}


def test_many_are_read_and_written_at_once(cache: Form) -> None:
    assert cache.set_many({"a": 1, "b": "2"}, 60) is True

    assert cache.get_many(["b", "no", "a", "a"]) == {"b": "2", "a": 1}
    assert cache.get_many([]) == {}


def test_deleting_counts_what_was_there(cache: Form) -> None:
    cache.set_many({"a": 1, "b": 2, "c": 3})

    assert cache.delete("a", "b", "no") == 2
    assert (cache.get("a"), cache.get("c"), cache.exists("a"), cache.exists("c")) == (
        None,
        3,
        False,
        True,
    )


def test_patterns_delete_what_redis_would_match(cache: Form) -> None:
    cache.set_many({f"news_{index}": index for index in range(700)} | {"note": 0, "new[s]": 1})

    assert cache.delete_pattern("news_*") == 700
    assert cache.get("note") == 0
    assert cache.clear() == 2
    assert cache.get("note") is None


def test_ttls_are_seconds_or_names_and_every_value_has_one(cache: Form) -> None:
    cache.set("named", 1, "news")
    cache.set("unnamed", 1)
    cache.set("seconds", 1, 50)

    assert 840 < cache.ttl("named") <= 900
    assert 540 < cache.ttl("unnamed") <= 600
    assert 1 < cache.ttl("seconds") <= 50
    assert cache.ttl("no") is None
    with pytest.raises(UsageError, match="cannot find the TTL"):
        cache.set("k", 1, "nwes")
    with pytest.raises(UsageError, match="cannot use a TTL"):
        cache.set("k", 1, 0)


def test_a_ttl_ends_to_the_millisecond(cache: Form) -> None:
    cache.set("k", 1, 0.05)

    wait_for(lambda: cache.get("k") is None, 30, "the end of 50 ms")
    assert cache.exists("k") is False


def test_a_life_can_be_changed(cache: Form) -> None:
    cache.set("k", 1, 50)

    assert cache.expire("k", 1000) is True
    assert cache.expire("no", 100) is False
    assert cache.ttl("k") > 900


def test_counting_begins_at_nothing_and_keeps_its_time(cache: Form) -> None:
    assert [cache.incr("n", ttl=50), cache.incr("n", 4, ttl=5000), cache.incr("n", -2)] == [1, 5, 3]
    assert cache.ttl("n") <= 50
    assert cache.get("n") == 3


def test_a_number_that_was_set_can_be_counted(cache: Form) -> None:
    cache.set("n", 40)

    assert cache.incr("n", 2) == 42
