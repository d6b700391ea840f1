"""One suite over both faces and all backends: what holds of one holds of all."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from opsctl.errors import OpsctlError, UsageError
from opsctl.kit import MISSING, AsyncCache, AsyncClient, Backend, Cache, CacheLimits, Client, Setup
from tests.contract.kit.faces import Face, loop, make
from tests.waiting import wait_for

Open = Callable[..., Face]


@pytest.fixture(params=["sync", "async"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def open_cache(kind: str, redis_url: str) -> Iterator[Open]:
    with loop(kind) as runner:
        opened: list[Face] = []

        def open_(backend: str = "layered", **limits: Any) -> Face:
            setup = Setup(prefix="t", backend=Backend(backend), limits=CacheLimits(**limits))

            def build() -> Any:
                client_type: Any = Client if runner is None else AsyncClient
                cache_type: Any = Cache if runner is None else AsyncCache
                client = None if backend == "memory" else client_type(redis_url, service="test")
                opened.append(Face(client, runner))
                return cache_type(client, setup=setup)

            face = Face(make(runner, build), runner)
            opened.append(face)
            return face

        yield open_
        for face in reversed(opened):
            if face.part is not None:
                face.close()


@pytest.fixture(params=["memory", "redis", "layered"])
def cache(open_cache: Open, request: pytest.FixtureRequest) -> Face:
    face = open_cache(request.param)
    ready(face)
    return face


def ready(face: Face) -> None:
    """Wait until the cache hears of changes by others."""
    if face.part._layers.backend is not Backend.LAYERED:
        return
    face.exists("warm")

    def hears() -> bool:
        face.settle()
        return bool(face.part._layers.hears)

    wait_for(hears, 5, "the cache to listen")


VALUES: list[Any] = [None, True, 0, -5, 1.5, "삼성전자", [1, [2]], {"a": {"b": None}}, "q" * 9000]


def test_every_value_comes_back_as_it_is(cache: Face) -> None:
    for value in VALUES:
        assert cache.set("k", value) is True
        assert cache.get("k", MISSING) == value
        assert cache.get_many(["k"]) == {"k": value}


def test_what_is_not_there_is_the_default_and_none_can_be_told_from_it(cache: Face) -> None:
    cache.set("none", None)

    assert cache.get("no") is None
    assert cache.get("no", 7) == 7
    assert cache.get("no", MISSING) is MISSING
    assert cache.get("none", MISSING) is None


def test_a_value_handed_out_can_be_changed_without_harm(cache: Face) -> None:
    cache.set("k", {"list": [1]})

    cache.get("k")["list"].append(2)

    assert cache.get("k") == {"list": [1]}


def test_many_are_read_and_written_at_once(cache: Face) -> None:
    assert cache.set_many({"a": 1, "b": "2"}, 60) is True

    assert cache.get_many(["b", "no", "a", "a"]) == {"b": "2", "a": 1}
    assert cache.get_many([]) == {}


def test_deleting_counts_what_was_there(cache: Face) -> None:
    cache.set_many({"a": 1, "b": 2, "c": 3})

    assert cache.delete("a", "b", "no") == 2
    assert (cache.get("a"), cache.get("c"), cache.exists("a"), cache.exists("c")) == (
        None,
        3,
        False,
        True,
    )


def test_patterns_delete_what_redis_would_match(cache: Face) -> None:
    cache.set_many({f"news_{index}": index for index in range(700)} | {"note": 0, "new[s]": 1})

    assert cache.delete_pattern("news_*") == 700
    assert cache.get("note") == 0
    assert cache.clear() == 2
    assert cache.get("note") is None


def test_lives_are_seconds_or_names_and_nothing_lives_for_ever(cache: Face) -> None:
    cache.set("named", 1, "news")
    cache.set("unnamed", 1)
    cache.set("seconds", 1, 5)

    assert 890 < cache.ttl("named") <= 900
    assert 590 < cache.ttl("unnamed") <= 600
    assert 4 < cache.ttl("seconds") <= 5
    assert cache.ttl("no") is None
    with pytest.raises(UsageError, match="no TTL called"):
        cache.set("k", 1, "nwes")
    with pytest.raises(UsageError, match="keeps nothing"):
        cache.set("k", 1, 0)


def test_a_life_ends_to_the_millisecond(cache: Face) -> None:
    cache.set("k", 1, 0.05)

    wait_for(lambda: cache.get("k") is None, 2, "the end of 50 ms")
    assert cache.exists("k") is False


def test_a_life_can_be_changed(cache: Face) -> None:
    cache.set("k", 1, 5)

    assert cache.expire("k", 100) is True
    assert cache.expire("no", 100) is False
    assert cache.ttl("k") > 90


def test_counting_begins_at_nothing_and_keeps_its_time(cache: Face) -> None:
    assert [cache.incr("n", ttl=50), cache.incr("n", 4, ttl=5000), cache.incr("n", -2)] == [1, 5, 3]
    assert cache.ttl("n") <= 50
    assert cache.get("n") == 3


def test_a_number_that_was_set_can_be_counted(cache: Face) -> None:
    cache.set("n", 40)

    assert cache.incr("n", 2) == 42


def test_a_value_is_computed_once_and_then_there(cache: Face) -> None:
    calls: list[int] = []

    def factory() -> list[int]:
        calls.append(1)
        return [len(calls)]

    assert [cache.get_or_set("k", factory) for _ in range(3)] == [[1], [1], [1]]
    assert cache.counts.fills == 1


def test_a_factory_that_fails_is_heard_and_leaves_nothing(cache: Face) -> None:
    def fail() -> None:
        raise ZeroDivisionError

    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            cache.get_or_set("k", fail)

    assert cache.get_or_set("k", lambda: 1) == 1
    assert cache.counts.failures == 2
    assert not cache.part._layers.waiting


def test_what_is_deleted_while_it_is_computed_is_not_kept(cache: Face) -> None:
    layers = cache.part._layers

    def factory() -> str:
        # Somebody changes the source, and says so, before this old value is stored.
        layers.soil(["k"])
        return "old"

    async def async_factory() -> str:
        await cache.part.delete("k")
        return "old"

    def sync_factory() -> str:
        cache.part.delete("k")
        return "old"

    used = async_factory if isinstance(cache.part, AsyncCache) else sync_factory
    assert cache.get_or_set("k", used) == "old"
    assert cache.get("k") is None


def test_a_stale_value_serves_while_it_is_renewed(cache: Face) -> None:
    cache.get_or_set("k", lambda: "old", 0.05, stale=60)
    wait_for(lambda: cache.get("k") is None, 5, "the value to be past its time")

    served = cache.get_or_set("k", lambda: "new", 60, stale=60)

    def renewed() -> bool:
        cache.settle()
        return bool(cache.get("k") == "new")

    assert served == "old"
    wait_for(renewed, 5, "the renewal")
    assert cache.get_or_set("k", lambda: "newest", 60, stale=60) == "new"


def test_a_renewal_that_fails_leaves_the_old_value(
    cache: Face, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> None:
        raise ZeroDivisionError

    cache.get_or_set("k", lambda: "old", 0.05, stale=60)
    wait_for(lambda: cache.get("k") is None, 5, "the value to be past its time")
    assert cache.get_or_set("k", fail, 60, stale=60) == "old"

    def failed() -> bool:
        cache.settle()
        return "could not be renewed" in caplog.text

    wait_for(failed, 5, "the failure in the log")
    assert cache.get_or_set("k", fail, 60, stale=60) == "old"


def test_an_early_refresh_comes_before_the_end(cache: Face) -> None:
    calls: list[int] = []

    def factory() -> int:
        calls.append(1)
        return len(calls)

    def renewed() -> bool:
        # Far earlier than it takes to compute, so that chance has no say.
        answer = cache.get_or_set("k", factory, 3600, early=1e12)
        cache.settle()
        return bool(answer == 2)

    wait_for(renewed, 5, "the early refresh")


def test_too_large_is_said_and_not_kept(open_cache: Open) -> None:
    cache = open_cache("layered", value_bytes=1000)
    cache.set("k", "small")

    assert cache.set("k", "q" * 2000) is False
    assert cache.get("k") is None
    assert cache.get_or_set("k", lambda: "q" * 2000) == "q" * 2000
    assert cache.get("k") is None
    assert cache.counts.rejected == 2


def test_functions_are_cached_by_their_arguments(cache: Face, kind: str) -> None:
    calls: list[tuple[str, int]] = []
    decorate = cache.part.cached("double", 60)
    if kind == "async":

        @decorate  # type: ignore[untyped-decorator]  # a face is anything
        async def double(name: str, times: int = 2) -> str:
            calls.append((name, times))
            return name * times

    else:

        @decorate  # type: ignore[untyped-decorator]  # a face is anything
        def double(name: str, times: int = 2) -> str:
            calls.append((name, times))
            return name * times

    told = Face(type("Part", (), {"double": staticmethod(double)}), cache._runner)

    assert [told.double("a"), told.double("a", 2), told.double(times=2, name="a")] == ["aa"] * 3
    assert calls == [("a", 2)]
    cache.delete(double.key("a"))
    assert told.double("a") == "aa"
    assert len(calls) == 2


def test_methods_are_cached_for_all_objects_and_by_ones_own_key(cache: Face, kind: str) -> None:
    calls: list[str] = []

    def lower(_self: object, text: str) -> str:
        return text.lower()

    if kind == "async":

        class Service:
            @cache.part.cached("up", 60, key=lower)  # type: ignore[untyped-decorator]  # a face is anything
            async def up(self, text: str) -> str:
                calls.append(text)
                return text.upper()

    else:

        class Service:  # type: ignore[no-redef]  # one of both
            @cache.part.cached("up", 60, key=lower)  # type: ignore[untyped-decorator]  # a face is anything
            def up(self, text: str) -> str:
                calls.append(text)
                return text.upper()

    first, second = Face(Service(), cache._runner), Face(Service(), cache._runner)

    assert (first.up("ab"), second.up("AB")) == ("AB", "AB")
    assert calls == ["ab"]


def test_the_wrong_kind_of_function_is_refused(cache: Face, kind: str) -> None:
    async def coroutine() -> None: ...

    def plain() -> None: ...

    with pytest.raises(UsageError, match="coroutine"):
        cache.part.cached("p")(plain if kind == "async" else coroutine)


def test_declared_keys_are_warm_and_one_that_fails_harms_no_other(cache: Face) -> None:
    def fail() -> None:
        raise ZeroDivisionError

    cache.part.declare("a", lambda: 1, "short")
    cache.part.declare("b", fail)
    cache.part.declare("c", lambda: 3)

    report = cache.warm_up()

    assert (report.ready, report.failed) == (("a", "c"), ("b",))
    assert cache.get_many(["a", "c"]) == {"a": 1, "c": 3}


def test_hits_and_misses_are_counted_apart_from_errors(cache: Face) -> None:
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

        wait_for(lambda expected=expected: seen(expected), 5, f"{expected} to be seen")  # type: ignore[misc]  # bound on purpose


def test_a_value_in_memory_never_outlives_the_one_in_redis(open_cache: Open) -> None:
    one, other = open_cache(), open_cache()
    ready(one)
    ready(other)
    one.set("k", 1, 2)

    def kept() -> float | None:
        other.get("k")
        other.settle()
        left: float | None = other.part._layers.memory.left_s("k")
        return left

    left = wait_for(kept, 2, "the value in the other's memory")
    assert left is not None
    assert left <= 2


def test_a_foreign_value_under_our_key_is_an_error_and_is_replaced(
    open_cache: Open, redis_url: str
) -> None:
    cache = open_cache()
    with Client(redis_url) as client:
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
