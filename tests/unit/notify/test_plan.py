"""Who is told what, and when."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsctl.notify.model import Said, Severity
from opsctl.notify.plan import (
    Memory,
    Rules,
    Verdict,
    Way,
    after_quiet,
    channels_for,
    on_raise,
    on_resolve,
    packed,
    unpacked,
    wait_after,
)

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
RULES = Rules(HOUR, None, ZoneInfo("UTC"))
QUIET = Rules(HOUR, (22 * 60, 7 * 60), ZoneInfo("Asia/Seoul"))
WARNING, CRITICAL = Severity.WARNING, Severity.CRITICAL


def told(verdict: Verdict) -> tuple[Said, datetime | None] | None:
    pending = verdict.memory.pending
    return (pending.said, verdict.due_at) if pending and verdict.due_at else None


def test_a_new_trouble_is_told_at_once() -> None:
    assert told(on_raise(Memory(), WARNING, now=NOON, rules=RULES)) == (Said.RAISED, NOON)


def test_the_same_trouble_is_told_again_after_the_interval_only() -> None:
    first = on_raise(Memory(), WARNING, now=NOON, rules=RULES).memory

    early = on_raise(first, WARNING, now=NOON + HOUR / 2, rules=RULES)
    late = on_raise(early.memory, WARNING, now=NOON + HOUR, rules=RULES)

    assert told(early) is None
    assert told(late) == (Said.RAISED, NOON + HOUR)


def test_a_rise_to_critical_is_told_at_once() -> None:
    first = on_raise(Memory(), WARNING, now=NOON, rules=RULES).memory

    rise = on_raise(first, CRITICAL, now=NOON + HOUR / 60, rules=RULES)

    assert told(rise) == (Said.RAISED, NOON + HOUR / 60)


def test_an_end_waits_for_the_interval_and_is_taken_back_when_it_was_none() -> None:
    first = on_raise(Memory(), WARNING, now=NOON, rules=RULES).memory

    end = on_resolve(first, now=NOON + HOUR / 4, rules=RULES)
    again = on_raise(end.memory, WARNING, now=NOON + HOUR / 2, rules=RULES)

    assert told(end) == (Said.RESOLVED, NOON + HOUR)
    assert again.withdraw
    assert told(again) is None


def test_an_end_after_the_interval_is_told_at_once() -> None:
    first = on_raise(Memory(), WARNING, now=NOON, rules=RULES).memory

    end = on_resolve(first, now=NOON + 2 * HOUR, rules=RULES)

    assert told(end) == (Said.RESOLVED, NOON + 2 * HOUR)


def test_the_end_of_what_was_never_told_is_not_told() -> None:
    assert told(on_resolve(Memory(), now=NOON, rules=RULES)) is None


def test_a_trouble_that_ends_within_quiet_hours_is_not_told_at_all() -> None:
    night = datetime(2026, 3, 10, 15, tzinfo=UTC)  # midnight in Seoul
    raised = on_raise(Memory(), WARNING, now=night, rules=QUIET)

    end = on_resolve(raised.memory, now=night + HOUR, rules=QUIET)

    assert raised.due_at == datetime(2026, 3, 10, 22, tzinfo=UTC)
    assert end.withdraw
    assert told(end) is None


def test_critical_passes_quiet_hours() -> None:
    night = datetime(2026, 3, 10, 15, tzinfo=UTC)

    assert on_raise(Memory(), CRITICAL, now=night, rules=QUIET).due_at == night


@pytest.mark.parametrize(
    ("hour", "minute", "due"),
    [(21, 59, (21, 59)), (22, 0, (7, 0)), (3, 0, (7, 0)), (6, 59, (7, 0)), (7, 0, (7, 0))],
)
def test_quiet_hours_go_over_midnight(hour: int, minute: int, due: tuple[int, int]) -> None:
    at = datetime(2026, 3, 10, hour, minute, tzinfo=QUIET.zone)

    found = after_quiet(at.astimezone(UTC), QUIET).astimezone(QUIET.zone)

    assert (found.hour, found.minute) == due
    assert at <= found < at + timedelta(hours=10)


STEPS = st.lists(
    st.tuples(st.booleans(), st.sampled_from([WARNING]), st.integers(0, 1800)), max_size=200
)


@given(STEPS)
def test_flaps_give_at_most_one_message_an_interval(
    steps: list[tuple[bool, Severity, int]],
) -> None:
    memory, now = Memory(), NOON
    due: list[datetime] = []
    for is_raised, severity, wait_s in steps:
        now += timedelta(seconds=wait_s)
        verdict = (
            on_raise(memory, severity, now=now, rules=RULES)
            if is_raised
            else on_resolve(memory, now=now, rules=RULES)
        )
        if verdict.withdraw:
            due = [at for at in due if at <= now]
        if verdict.due_at is not None:
            due.append(verdict.due_at)
        memory = unpacked(packed(verdict.memory))

    assert all(later - sooner >= HOUR for sooner, later in pairwise(due))


def test_routes_add_up_and_leave_out_what_is_not_set_up() -> None:
    routes = (
        Way("info", "*", ("journal",)),
        Way("warning", "disk*", ("slack", "email")),
        Way("critical", "*", ("slack", "command")),
    )
    known = ("slack", "journal", "command")

    chosen = {
        (severity, topic): channels_for(severity, topic, routes=routes, known=known)
        for severity, topic in [(WARNING, "disk"), (WARNING, "deploy"), (CRITICAL, "deploy")]
    }

    assert chosen == {
        (WARNING, "disk"): ("slack", "journal"),
        (WARNING, "deploy"): ("journal",),
        (CRITICAL, "deploy"): ("slack", "journal", "command"),
    }


def test_waits_double_up_to_the_most_and_honour_what_was_asked() -> None:
    waits = [wait_after(n, first_s=5, most_s=60, asked_s=None) for n in (1, 2, 3, 4, 5, 500)]

    assert waits == [5, 10, 20, 40, 60, 60]
    assert wait_after(1, first_s=5, most_s=60, asked_s=120) == 120
