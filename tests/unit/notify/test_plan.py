"""Which message is sent where, and when."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsctl.notify.model import AlertEvent, Severity
from opsctl.notify.plan import (
    AlertHistory,
    NotifyDecision,
    NotifyRules,
    decide_raised,
    decide_resolved,
    pack_history,
    retry_wait_s,
    select_channels,
    skip_quiet_hours,
    unpack_history,
)
from opsctl.settings.sections.notify import Route

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
RULES = NotifyRules(HOUR, None, ZoneInfo("UTC"))
QUIET = NotifyRules(HOUR, (22 * 60, 7 * 60), ZoneInfo("Asia/Seoul"))
WARNING, CRITICAL = Severity.WARNING, Severity.CRITICAL


def scheduled(decision: NotifyDecision) -> tuple[AlertEvent, datetime | None] | None:
    pending = decision.history.pending
    return (pending.event, decision.due_at) if pending and decision.due_at else None


def test_a_new_problem_is_reported_at_once() -> None:
    assert scheduled(decide_raised(AlertHistory(), WARNING, now=NOON, rules=RULES)) == (
        AlertEvent.RAISED,
        NOON,
    )


def test_the_same_problem_is_reported_again_only_after_the_interval() -> None:
    first = decide_raised(AlertHistory(), WARNING, now=NOON, rules=RULES).history

    early = decide_raised(first, WARNING, now=NOON + HOUR / 2, rules=RULES)
    late = decide_raised(early.history, WARNING, now=NOON + HOUR, rules=RULES)

    assert scheduled(early) is None
    assert scheduled(late) == (AlertEvent.RAISED, NOON + HOUR)


def test_a_rise_to_critical_is_reported_at_once() -> None:
    first = decide_raised(AlertHistory(), WARNING, now=NOON, rules=RULES).history

    rise = decide_raised(first, CRITICAL, now=NOON + HOUR / 60, rules=RULES)

    assert scheduled(rise) == (AlertEvent.RAISED, NOON + HOUR / 60)


def test_an_end_waits_for_the_interval_and_is_withdrawn_if_the_problem_returns() -> None:
    first = decide_raised(AlertHistory(), WARNING, now=NOON, rules=RULES).history

    end = decide_resolved(first, now=NOON + HOUR / 4, rules=RULES)
    again = decide_raised(end.history, WARNING, now=NOON + HOUR / 2, rules=RULES)

    assert scheduled(end) == (AlertEvent.RESOLVED, NOON + HOUR)
    assert again.withdraw
    assert scheduled(again) is None


def test_an_end_after_the_interval_is_reported_at_once() -> None:
    first = decide_raised(AlertHistory(), WARNING, now=NOON, rules=RULES).history

    end = decide_resolved(first, now=NOON + 2 * HOUR, rules=RULES)

    assert scheduled(end) == (AlertEvent.RESOLVED, NOON + 2 * HOUR)


def test_the_end_of_an_unreported_problem_is_not_reported() -> None:
    assert scheduled(decide_resolved(AlertHistory(), now=NOON, rules=RULES)) is None


def test_a_problem_that_ends_within_quiet_hours_is_not_reported() -> None:
    night = datetime(2026, 3, 10, 15, tzinfo=UTC)  # midnight in Seoul
    raised = decide_raised(AlertHistory(), WARNING, now=night, rules=QUIET)

    end = decide_resolved(raised.history, now=night + HOUR, rules=QUIET)

    assert raised.due_at == datetime(2026, 3, 10, 22, tzinfo=UTC)
    assert end.withdraw
    assert scheduled(end) is None


def test_critical_passes_quiet_hours() -> None:
    night = datetime(2026, 3, 10, 15, tzinfo=UTC)

    assert decide_raised(AlertHistory(), CRITICAL, now=night, rules=QUIET).due_at == night


@pytest.mark.parametrize(
    ("hour", "minute", "due"),
    [(21, 59, (21, 59)), (22, 0, (7, 0)), (3, 0, (7, 0)), (6, 59, (7, 0)), (7, 0, (7, 0))],
)
def test_quiet_hours_go_over_midnight(hour: int, minute: int, due: tuple[int, int]) -> None:
    at = datetime(2026, 3, 10, hour, minute, tzinfo=QUIET.zone)

    due_at = skip_quiet_hours(at.astimezone(UTC), QUIET).astimezone(QUIET.zone)

    assert (due_at.hour, due_at.minute) == due
    assert at <= due_at < at + timedelta(hours=10)


STEPS = st.lists(
    st.tuples(st.booleans(), st.sampled_from([WARNING]), st.integers(0, 1800)), max_size=200
)


@given(STEPS)
def test_flapping_sends_at_most_one_message_per_interval(
    steps: list[tuple[bool, Severity, int]],
) -> None:
    history, now = AlertHistory(), NOON
    due: list[datetime] = []
    for is_raised, severity, wait_s in steps:
        now += timedelta(seconds=wait_s)
        decision = (
            decide_raised(history, severity, now=now, rules=RULES)
            if is_raised
            else decide_resolved(history, now=now, rules=RULES)
        )
        if decision.withdraw:
            due = [at for at in due if at <= now]
        if decision.due_at is not None:
            due.append(decision.due_at)
        history = unpack_history(pack_history(decision.history))

    assert all(later - sooner >= HOUR for sooner, later in pairwise(due))


def test_matching_routes_add_up_and_skip_unknown_channels() -> None:
    routes = (
        Route("info", "*", ("journal",)),
        Route("warning", "disk*", ("slack", "email")),
        Route("critical", "*", ("slack", "command")),
    )
    known = ("slack", "journal", "command")

    chosen = {
        (severity, topic): select_channels(severity, topic, routes=routes, known=known)
        for severity, topic in [(WARNING, "disk"), (WARNING, "deploy"), (CRITICAL, "deploy")]
    }

    assert chosen == {
        (WARNING, "disk"): ("slack", "journal"),
        (WARNING, "deploy"): ("journal",),
        (CRITICAL, "deploy"): ("slack", "journal", "command"),
    }


def test_waits_double_up_to_the_limit_and_honour_retry_after() -> None:
    waits = [retry_wait_s(n, first_s=5, max_s=60, asked_s=None) for n in (1, 2, 3, 4, 5, 500)]

    assert waits == [5, 10, 20, 40, 60, 60]
    assert retry_wait_s(1, first_s=5, max_s=60, asked_s=120) == 120
