"""Which files may go by their age, which names fit, and when a clock is believed."""

from datetime import UTC, datetime, timedelta

import pytest

from opsctl.disk.retention.plan import (
    Age,
    Ages,
    ClockRules,
    Moment,
    Names,
    doubt,
    doubt_without_past,
)

NOW = datetime(2026, 3, 10, 3, tzinfo=UTC)
AGES = Ages.of(NOW, min_age_h=48, max_age_h=120, slack_s=300)
RULES = ClockRules(300, timedelta(days=30))


def modified(**ago: float) -> int:
    return round((NOW - timedelta(**ago)).timestamp()) * 1_000_000_000


@pytest.mark.parametrize(
    ("ago", "age"),
    [
        ({"hours": 0}, Age.YOUNG),
        ({"hours": 47, "minutes": 59}, Age.YOUNG),
        ({"hours": 48, "seconds": -1}, Age.YOUNG),
        ({"hours": 48}, Age.MIDDLE),
        ({"hours": 119, "minutes": 59}, Age.MIDDLE),
        ({"hours": 120}, Age.MIDDLE),
        ({"hours": 120, "seconds": 1}, Age.OLD),
        ({"hours": 120, "minutes": 1}, Age.OLD),
        ({"minutes": -5}, Age.YOUNG),
        ({"minutes": -6}, Age.FUTURE),
    ],
)
def test_a_file_goes_after_120_hours_and_never_within_48(ago: dict[str, float], age: Age) -> None:
    assert AGES.judge(modified(**ago)) is age


@pytest.mark.parametrize("modified_ns", [0, 1, -1_000_000_000, 900_000_000_000_000_000])
def test_a_file_without_a_credible_time_stays(modified_ns: int) -> None:
    assert AGES.judge(modified_ns) is Age.UNDATED


@pytest.mark.parametrize(
    ("name", "fits"),
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
def test_names_fit_as_bytes(name: bytes, fits: bool) -> None:  # noqa: FBT001 - a table
    assert Names(["*.log", "*.log.*", "tick-?.raw"]).fit(name) is fits


def at(wall: datetime, steady_s: float, boot: str = "one") -> Moment:
    return Moment(wall, steady_s, boot)


@pytest.mark.parametrize(
    ("now", "before", "why"),
    [
        (at(NOW, 100), None, ""),
        (at(datetime(1970, 1, 1, tzinfo=UTC), 100), None, "which is past"),
        (at(NOW + timedelta(hours=1), 3700), at(NOW, 100), ""),
        (at(NOW + timedelta(days=400), 3700), at(NOW, 100), "jumped ahead"),
        (at(NOW - timedelta(hours=1), 3700), at(NOW, 100), "jumped back"),
        (at(NOW + timedelta(days=1), 5, "two"), at(NOW, 100), ""),
        (at(NOW - timedelta(days=1), 5, "two"), at(NOW, 100), "before the last run"),
        (at(NOW + timedelta(days=31), 5, "two"), at(NOW, 100), "31 days after"),
    ],
)
def test_a_clock_is_held_against_the_last_run(now: Moment, before: Moment | None, why: str) -> None:
    said = doubt(now, before, RULES)

    assert why in said
    assert bool(said) is bool(why)


@pytest.mark.parametrize(
    ("seen", "why"),
    [
        ([], ""),
        ([Age.OLD, Age.YOUNG], ""),
        ([Age.FUTURE, Age.MIDDLE], ""),
        ([Age.OLD, Age.OLD], "may be ahead"),
        ([Age.OLD, Age.FUTURE], "may be behind"),
        ([Age.UNDATED], ""),
    ],
)
def test_the_first_run_asks_the_files_about_the_clock(seen: list[Age], why: str) -> None:
    said = doubt_without_past(seen)

    assert why in said
    assert bool(said) is bool(why)
