from hypothesis import given
from hypothesis import strategies as some

from opsctl.kit.limits.local_log import LocalLogs
from opsctl.kit.limits.rates import Rate

RATE = Rate("x", 3, 1.0)


def worst_window(moments: list[float], window_s: float) -> int:
    return max(
        (sum(start <= m < start + window_s for m in moments) for start in moments), default=0
    )


@given(some.lists(some.tuples(some.sampled_from([0.0, 0.125, 0.5, 1.0]), some.booleans())))
def test_no_window_ever_holds_more_than_the_limit(steps: list[tuple[float, bool]]) -> None:
    logs, now, granted = LocalLogs(), 0.0, []

    for passed, waits in steps:
        now += passed
        slot = logs.take(RATE, now, patience_s=5.0 if waits else 0.0)
        if slot.granted:
            granted.append(now + slot.delay_s)

    assert worst_window(granted, RATE.window_s) <= RATE.limit


def test_who_comes_first_is_served_first() -> None:
    logs = LocalLogs()

    delays = [logs.take(RATE, 0.0, patience_s=10.0).delay_s for _ in range(7)]

    assert delays == [0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 2.0]


def test_who_does_not_wait_cannot_pass_those_who_do() -> None:
    logs = LocalLogs()
    for _ in range(4):
        logs.take(RATE, 0.0, patience_s=10.0)

    late = logs.take(RATE, 0.99, patience_s=0.0)

    assert not late.granted


def test_subjects_that_are_gone_leave_nothing_behind() -> None:
    logs = LocalLogs()

    for count in range(20_000):
        logs.take(RATE.of(str(count)), count * 0.01, patience_s=0.0)

    assert len(logs) <= 1024
