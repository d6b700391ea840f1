"""When a disk will be full, by its history."""

import random
from datetime import UTC, datetime, timedelta

import pytest

from opsctl.disk.forecast import fit_slope, forecast_full, thin_points
from opsctl.disk.model import UsagePoint
from opsctl.disk.trend import build_trend, judge_trend
from opsctl.findings import Level
from opsctl.settings.sections.disk import Disk

NOW = datetime(2026, 3, 10, tzinfo=UTC)
DAY = timedelta(days=1)


def line(days: int, per_day: float, *, start: float = 50.0, noise: float = 0.0) -> list[UsagePoint]:
    dice = random.Random(7)  # noqa: S311 - no secret
    return [
        UsagePoint(
            NOW - days * DAY + timedelta(hours=hour),
            start + per_day * hour / 24 + dice.gauss(0, noise),
        )
        for hour in range(days * 24 + 1)
    ]


def test_a_straight_line_gives_its_exact_slope() -> None:
    slope = fit_slope(line(7, 2.0))

    assert slope is not None
    assert (slope.low, slope.middle, slope.high) == pytest.approx((2.0, 2.0, 2.0))


def test_single_jumps_do_not_distort_the_slope() -> None:
    points = line(7, 2.0, noise=0.1)
    points[30] = UsagePoint(points[30].at, 99.0)
    points[90] = UsagePoint(points[90].at, 1.0)

    slope = fit_slope(points)

    assert slope is not None
    assert slope.middle == pytest.approx(2.0, abs=0.05)
    assert slope.low < 2.0 < slope.high


def test_the_range_contains_the_true_slope_nine_times_in_ten() -> None:
    contained = 0
    for seed in range(100):
        dice = random.Random(seed)  # noqa: S311 - no secret
        points = [
            UsagePoint(NOW + n * timedelta(hours=1), 40 + n / 24 + dice.gauss(0, 1))
            for n in range(60)
        ]
        slope = fit_slope(points)
        contained += slope is not None and slope.low <= 1.0 <= slope.high

    assert 82 <= contained <= 98


def test_the_day_is_given_with_its_uncertainty() -> None:
    slope = fit_slope(line(7, 2.0, noise=0.2))

    assert slope is not None
    ahead = forecast_full(slope, 64.0, now=NOW)

    assert ahead.soonest is not None
    assert ahead.likeliest is not None
    assert ahead.latest is not None
    assert ahead.soonest < ahead.likeliest < ahead.latest
    assert abs(ahead.likeliest - (NOW + 18 * DAY)) < DAY


def test_a_disk_that_shrinks_never_fills_up() -> None:
    trend = build_trend("/", tuple(line(7, -1.0)), now=NOW, min_span=DAY)

    assert "does not fill up" in trend.summary
    assert judge_trend(trend, now=NOW, disk=Disk()).level is Level.OK


@pytest.mark.parametrize("points", [line(0, 1.0), line(7, 1.0)[:20], line(7, 1.0)[::30]])
def test_too_little_history_is_reported(points: list[UsagePoint]) -> None:
    trend = build_trend("/", tuple(points), now=NOW, min_span=DAY)

    assert "not enough history" in trend.summary
    assert judge_trend(trend, now=NOW, disk=Disk()).level is Level.OK


def test_a_mount_that_fills_within_days_is_a_warning() -> None:
    trend = build_trend("/", tuple(line(7, 5.0)), now=NOW, min_span=DAY)

    finding = judge_trend(trend, now=NOW, disk=Disk())

    assert finding.level is Level.WARNING
    assert "full on 2026-03-13" in finding.what


def test_many_points_are_thinned_over_time_and_not_over_the_list() -> None:
    old = [UsagePoint(NOW + n * timedelta(hours=1), 1.0) for n in range(100)]
    dense = [UsagePoint(old[-1].at + n * timedelta(seconds=1), 1.0) for n in range(1, 10_000)]

    kept = thin_points([*old, *dense], limit=50)

    assert 30 <= len(kept) <= 51
    assert kept[0] == old[0]
