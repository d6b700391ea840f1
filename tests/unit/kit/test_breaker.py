import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from opsctl.errors import BusyError, OpsctlError, UnreachableError
from opsctl.kit import Breaker, BreakerOpenError, BreakerState
from opsctl.kit.testing import FakeClock


def fail() -> None:
    raise UnreachableError("no answer")


def broken(clock: FakeClock) -> Breaker:
    """A breaker that has just opened."""
    breaker = Breaker("kis", clock=clock)
    for _ in range(5):
        with pytest.raises(UnreachableError, match="no answer"):
            breaker.call(fail)
    return breaker


def test_it_opens_after_five_failures_in_a_row_and_calls_no_more() -> None:
    breaker = broken(FakeClock())

    with pytest.raises(BreakerOpenError, match="cannot call kis") as refused:
        breaker.call(fail)

    assert breaker.state is BreakerState.OPEN
    assert refused.value.retry_after_s == 60.0


def test_a_success_in_between_starts_the_count_again() -> None:
    breaker = Breaker("kis", clock=FakeClock())

    for _ in range(3):
        for _ in range(4):
            with pytest.raises(UnreachableError):
                breaker.call(fail)
        breaker.call(int)

    assert breaker.state is BreakerState.CLOSED


def test_after_recovery_one_success_closes_it() -> None:
    clock = FakeClock()
    breaker = broken(clock)
    clock.advance(60.0)

    answer = breaker.call(lambda: "well")

    assert (answer, breaker.state) == ("well", BreakerState.CLOSED)


def test_after_recovery_one_failure_opens_it_for_another_minute() -> None:
    clock = FakeClock()
    breaker = broken(clock)
    clock.advance(60.0)

    with pytest.raises(UnreachableError, match="no answer"):
        breaker.call(fail)

    assert (breaker.state, breaker.retry_after_s) == (BreakerState.OPEN, 60.0)


def test_of_twenty_at_once_one_probes() -> None:
    clock = FakeClock()
    breaker = broken(clock)
    clock.advance(60.0)
    release, made = threading.Event(), []

    def slow() -> None:
        made.append(1)
        release.wait(10)

    def attempt(_: int) -> bool:
        try:
            breaker.call(slow)
        except BreakerOpenError:
            # The probe goes on while the others are refused.
            if len(refused) == 18:
                release.set()
            refused.append(1)
            return False
        return True

    refused: list[int] = []
    with ThreadPoolExecutor(20) as pool:
        outcomes = list(pool.map(attempt, range(20)))

    assert (len(made), outcomes.count(True)) == (1, 1)


def test_calls_run_side_by_side() -> None:
    breaker = Breaker("kis")
    together = threading.Barrier(10, timeout=60)

    with ThreadPoolExecutor(10) as pool:
        places = list(pool.map(lambda _: breaker.call(together.wait), range(10)))

    assert sorted(places) == list(range(10))


def test_a_full_pool_of_our_own_is_nobody_s_failure() -> None:
    breaker = Breaker("kis", threshold=1, clock=FakeClock())

    def busy() -> None:
        raise BusyError("all our connections are in use")

    with pytest.raises(BusyError):
        breaker.call(busy)

    assert breaker.state is BreakerState.CLOSED


def test_an_answer_that_refuses_is_an_answer() -> None:
    breaker = Breaker("kis", threshold=1, clock=FakeClock())

    def refuse() -> None:
        raise OpsctlError("not allowed")

    with pytest.raises(OpsctlError):
        breaker.call(refuse)

    assert breaker.state is BreakerState.CLOSED


def test_an_attempt_can_fail_without_an_error() -> None:
    breaker = Breaker("kis", threshold=1, clock=FakeClock())

    with breaker.guard() as attempt:
        attempt.mark_failed("status 503")

    assert breaker.state is BreakerState.OPEN


def test_a_call_from_before_the_change_has_no_say_after_it() -> None:
    clock = FakeClock()
    breaker = Breaker("kis", threshold=1, clock=clock)

    with breaker.guard(), pytest.raises(UnreachableError):
        breaker.call(fail)

    assert breaker.state is BreakerState.OPEN


def test_a_cancelled_probe_leaves_room_for_the_next() -> None:
    clock = FakeClock()
    breaker = broken(clock)
    clock.advance(60.0)

    async def cancelled() -> None:
        probe = asyncio.create_task(breaker.acall(asyncio.sleep, 60))
        await asyncio.sleep(0)
        probe.cancel()
        await asyncio.wait({probe})

    asyncio.run(cancelled())

    assert breaker.allows()
    assert breaker.call(lambda: "well") == "well"


def test_coroutines_are_guarded_as_calls_are() -> None:
    breaker = Breaker("kis", threshold=2, clock=FakeClock())

    @breaker
    async def fetch() -> None:
        fail()

    async def attempts() -> list[object]:
        outcomes = [await asyncio.gather(fetch(), return_exceptions=True) for _ in range(3)]
        return [type(outcome) for (outcome,) in outcomes]

    assert asyncio.run(attempts()) == [UnreachableError, UnreachableError, BreakerOpenError]


def test_every_change_is_reported_with_its_reason() -> None:
    clock, told = FakeClock(), []
    breaker = Breaker("kis", threshold=1, clock=clock)
    breaker.on_change(lambda change: told.append((change.before, change.after, change.why)))

    with pytest.raises(UnreachableError):
        breaker.call(fail)
    clock.advance(60.0)
    breaker.call(int)

    assert told == [
        ("closed", "open", "no answer"),
        ("open", "half_open", "it is probed"),
        ("half_open", "closed", "it answered"),
    ]


def test_no_secret_of_a_foreign_exception_is_reported() -> None:
    told: list[str] = []
    breaker = Breaker("kis", threshold=1, clock=FakeClock())
    breaker.on_change(lambda change: told.append(change.why))

    def leak() -> None:
        raise OSError("https://user:c4n4ry@host")

    with pytest.raises(OSError, match="c4n4ry"):
        breaker.call(leak)

    assert told == ["OSError"]
