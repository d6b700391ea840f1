"""Which files can be deleted by age, which names match, and when a clock is trusted."""

from datetime import UTC, datetime, timedelta

import pytest

from opsctl.disk.retention.plan import (
    AgeClass,
    AgeLimits,
    ClockLimits,
    ClockReading,
    NamePatterns,
    find_clock_problem,
    find_clock_problem_in_ages,
)

NOW = datetime(2026, 3, 10, 3, tzinfo=UTC)
AGES = AgeLimits.of(NOW, min_age_h=48, max_age_h=120, tolerance_s=300)
RULES = ClockLimits(300, timedelta(days=30))


def modified(**ago: float) -> int:
    return round((NOW - timedelta(**ago)).timestamp()) * 1_000_000_000


@pytest.mark.parametrize(
    ("ago", "age"),
    [
        ({"hours": 0}, AgeClass.YOUNG),
        ({"hours": 47, "minutes": 59}, AgeClass.YOUNG),
        ({"hours": 48, "seconds": -1}, AgeClass.YOUNG),
        ({"hours": 48}, AgeClass.MIDDLE),
        ({"hours": 119, "minutes": 59}, AgeClass.MIDDLE),
        ({"hours": 120}, AgeClass.MIDDLE),
        ({"hours": 120, "seconds": 1}, AgeClass.OLD),
        ({"hours": 120, "minutes": 1}, AgeClass.OLD),
        ({"minutes": -5}, AgeClass.YOUNG),
        ({"minutes": -6}, AgeClass.FUTURE),
    ],
)
def test_a_file_is_old_after_120_hours_and_young_within_48(
    ago: dict[str, float], age: AgeClass
) -> None:
    assert AGES.classify(modified(**ago)) is age


@pytest.mark.parametrize("modified_ns", [0, 1, -1_000_000_000, 900_000_000_000_000_000])
def test_a_file_without_a_credible_time_is_undated(modified_ns: int) -> None:
    assert AGES.classify(modified_ns) is AgeClass.UNDATED


@pytest.mark.parametrize(
    ("name", "matches"),
    [
        (b"a.log", True),
        (b"a.log.1", True),
        (b"a\n.log", True),
        (b"\xff\xfe.log", True),
        (b"a.log\n", False),
        (b"log", False),
        (b"a.sqlite", False),
        (b"tick-3.raw", True),
        (b"tick-33.raw", False),
    ],
)
def test_names_match_as_bytes(name: bytes, matches: bool) -> None:  # noqa: FBT001 - a table
    assert NamePatterns(["*.log", "*.log.*", "tick-?.raw"]).matches(name) is matches


def at(wall: datetime, steady_s: float, boot: str = "one") -> ClockReading:
    return ClockReading(wall, steady_s, boot)


@pytest.mark.parametrize(
    ("now", "before", "why"),
    [
        (at(NOW, 100), None, ""),
        (at(datetime(1970, 1, 1, tzinfo=UTC), 100), None, "which is in the past"),
        (at(NOW + timedelta(hours=1), 3700), at(NOW, 100), ""),
        (at(NOW + timedelta(days=400), 3700), at(NOW, 100), "jumped ahead"),
        (at(NOW - timedelta(hours=1), 3700), at(NOW, 100), "jumped back"),
        (at(NOW + timedelta(days=1), 5, "two"), at(NOW, 100), ""),
        (at(NOW - timedelta(days=1), 5, "two"), at(NOW, 100), "before the last run"),
        (at(NOW + timedelta(days=31), 5, "two"), at(NOW, 100), "31 days after"),
    ],
)
def test_a_clock_is_compared_with_the_last_run(
    now: ClockReading, before: ClockReading | None, why: str
) -> None:
    problem = find_clock_problem(now, before, RULES)

    assert why in problem
    assert bool(problem) is bool(why)


@pytest.mark.parametrize(
    ("seen", "why"),
    [
        ([], ""),
        ([AgeClass.OLD, AgeClass.YOUNG], ""),
        ([AgeClass.FUTURE, AgeClass.MIDDLE], ""),
        ([AgeClass.OLD, AgeClass.OLD], "may be ahead"),
        ([AgeClass.OLD, AgeClass.FUTURE], "may be behind"),
        ([AgeClass.UNDATED], ""),
    ],
)
def test_the_first_run_checks_the_clock_by_the_files(seen: list[AgeClass], why: str) -> None:
    problem = find_clock_problem_in_ages(seen)

    assert why in problem
    assert bool(problem) is bool(why)
