"""Computing what is missing, by hand and by decorator."""

import pytest

from opsctl.errors import UsageError
from opsctl.kit import AsyncCache
from tests.contract.kit.cache.conftest import Open
from tests.contract.kit.forms import Form
from tests.waiting import wait_for


def test_a_value_is_computed_once_and_then_there(cache: Form) -> None:
    calls: list[int] = []

    def factory() -> list[int]:
        calls.append(1)
        return [len(calls)]

    assert [cache.get_or_set("k", factory) for _ in range(3)] == [[1], [1], [1]]
    assert cache.counts.fills == 1


def test_the_error_of_a_factory_is_raised_and_nothing_is_stored(cache: Form) -> None:
    def fail() -> None:
        raise ZeroDivisionError

    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            cache.get_or_set("k", fail)

    assert cache.get_or_set("k", lambda: 1) == 1
    assert cache.counts.failures == 2
    assert not cache.part._state.computations


def test_a_value_that_is_deleted_while_it_is_computed_is_not_stored(cache: Form) -> None:
    state = cache.part._state

    def factory() -> str:
        # Somebody changes the source, and says so, before this old value is stored.
        state.mark_changed(["k"])
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


def test_a_stale_value_serves_while_it_is_renewed(cache: Form) -> None:
    cache.get_or_set("k", lambda: "old", 0.05, stale=60)
    wait_for(lambda: cache.get("k") is None, 30, "the value to be past its time")

    served = cache.get_or_set("k", lambda: "new", 60, stale=60)

    def renewed() -> bool:
        cache.settle()
        return bool(cache.get("k") == "new")

    assert served == "old"
    wait_for(renewed, 30, "the renewal")
    assert cache.get_or_set("k", lambda: "newest", 60, stale=60) == "new"


def test_a_renewal_that_fails_leaves_the_old_value(
    cache: Form, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> None:
        raise ZeroDivisionError

    cache.get_or_set("k", lambda: "old", 0.05, stale=60)
    wait_for(lambda: cache.get("k") is None, 30, "the value to be past its time")
    assert cache.get_or_set("k", fail, 60, stale=60) == "old"

    def failed() -> bool:
        cache.settle()
        return "cannot refresh a cached value" in caplog.text

    wait_for(failed, 30, "the failure in the log")
    assert cache.get_or_set("k", fail, 60, stale=60) == "old"


def test_an_early_refresh_comes_before_the_end(cache: Form) -> None:
    calls: list[int] = []

    def factory() -> int:
        calls.append(1)
        return len(calls)

    def renewed() -> bool:
        # Far earlier than it takes to compute, so that chance has no say.
        answer = cache.get_or_set("k", factory, 3600, early=1e12)
        cache.settle()
        return bool(answer == 2)

    wait_for(renewed, 30, "the early refresh")


def test_a_value_that_is_too_large_is_reported_and_not_stored(open_cache: Open) -> None:
    cache = open_cache("layered", value_bytes=1000)
    cache.set("k", "small")

    assert cache.set("k", "q" * 2000) is False
    assert cache.get("k") is None
    assert cache.get_or_set("k", lambda: "q" * 2000) == "q" * 2000
    assert cache.get("k") is None
    assert cache.counts.rejected == 2


def test_functions_are_cached_by_their_arguments(cache: Form, kind: str) -> None:
    calls: list[tuple[str, int]] = []
    decorate = cache.part.cached("double", 60)
    if kind == "async":

        @decorate  # type: ignore[untyped-decorator]  # a form is anything
        async def double(name: str, times: int = 2) -> str:
            calls.append((name, times))
            return name * times

    else:

        @decorate  # type: ignore[untyped-decorator]  # a form is anything
        def double(name: str, times: int = 2) -> str:
            calls.append((name, times))
            return name * times

    told = Form(type("Part", (), {"double": staticmethod(double)}), cache._runner)

    assert [told.double("a"), told.double("a", 2), told.double(times=2, name="a")] == ["aa"] * 3
    assert calls == [("a", 2)]
    cache.delete(double.key("a"))
    assert told.double("a") == "aa"
    assert len(calls) == 2


def test_methods_are_cached_for_all_objects_and_by_ones_own_key(cache: Form, kind: str) -> None:
    calls: list[str] = []

    def lower(_self: object, text: str) -> str:
        return text.lower()

    if kind == "async":

        class Service:
            @cache.part.cached("up", 60, key=lower)  # type: ignore[untyped-decorator]  # a form is anything
            async def up(self, text: str) -> str:
                calls.append(text)
                return text.upper()

    else:

        class Service:  # type: ignore[no-redef]  # one of both
            @cache.part.cached("up", 60, key=lower)  # type: ignore[untyped-decorator]  # a form is anything
            def up(self, text: str) -> str:
                calls.append(text)
                return text.upper()

    first, second = Form(Service(), cache._runner), Form(Service(), cache._runner)

    assert (first.up("ab"), second.up("AB")) == ("AB", "AB")
    assert calls == ["ab"]


def test_the_wrong_kind_of_function_is_refused(cache: Form, kind: str) -> None:
    async def coroutine() -> None: ...

    def plain() -> None: ...

    with pytest.raises(UsageError, match="cannot cache"):
        cache.part.cached("p")(plain if kind == "async" else coroutine)


def test_declared_keys_are_warm_and_one_that_fails_harms_no_other(cache: Form) -> None:
    def fail() -> None:
        raise ZeroDivisionError

    cache.part.declare("a", lambda: 1, "short")
    cache.part.declare("b", fail)
    cache.part.declare("c", lambda: 3)

    report = cache.warm_up()

    assert (report.ready, report.failed) == (("a", "c"), ("b",))
    assert cache.get_many(["a", "c"]) == {"a": 1, "c": 3}
