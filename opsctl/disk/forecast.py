"""Forecasts when a disk is full, from a slope that single jumps do not distort."""

import math
from collections.abc import Sequence
from datetime import datetime, timedelta

from opsctl.disk.model import FullForecast, UsagePoint, UsageSlope

DAY_S = 86_400.0
# Pairs grow with the square: 300 points are 44,850 slopes, a few ms.
MAX_POINTS = 300
MIN_POINTS = 8
# For a 90 % confidence interval.
Z = 1.645
FULL = 100.0
# Beyond that it is not a forecast.
MAX_FORECAST = timedelta(days=3650)


def fit_slope(points: Sequence[UsagePoint]) -> UsageSlope | None:
    """Take the median of the slopes of all pairs (Theil-Sen); None for too few points."""
    chosen = thin_points(points)
    slopes = sorted(_pair_slopes(chosen))
    if len(chosen) < MIN_POINTS or not slopes:
        return None
    spread = Z * math.sqrt(_score_variance(len(chosen)))
    low = max(0, math.floor((len(slopes) - spread) / 2))
    high = min(len(slopes) - 1, math.ceil((len(slopes) + spread) / 2))
    return UsageSlope(slopes[low], _median(slopes), slopes[high])


def _median(ordered: Sequence[float]) -> float:
    half, odd = divmod(len(ordered), 2)
    return ordered[half] if odd else (ordered[half - 1] + ordered[half]) / 2


def _score_variance(count: int) -> float:
    """Of Kendall's score; its quantiles are ranks among the slopes."""
    return count * (count - 1) * (2 * count + 5) / 18


def _pair_slopes(points: Sequence[UsagePoint]) -> list[float]:
    days = [point.at.timestamp() / DAY_S for point in points]
    used = [point.percent for point in points]
    return [
        (used[later] - used[sooner]) / (days[later] - days[sooner])
        for later in range(len(points))
        for sooner in range(later)
        if days[later] > days[sooner]
    ]


def thin_points(points: Sequence[UsagePoint], limit: int = MAX_POINTS) -> Sequence[UsagePoint]:
    """Keep points evenly over time, not over the list: recent ones are denser."""
    if len(points) <= limit:
        return points
    first, last = points[0].at, points[-1].at
    step = (last - first) / limit
    kept: list[UsagePoint] = []
    for point in points:
        if not kept or point.at - kept[-1].at >= step:
            kept.append(point)
    return kept


def forecast_full(slope: UsageSlope, percent: float, *, now: datetime) -> FullForecast:
    """Compute when 100 % is reached: soonest, likeliest and latest."""
    return FullForecast(
        soonest=_full_at(slope.high, percent, now),
        likeliest=_full_at(slope.middle, percent, now),
        latest=_full_at(slope.low, percent, now),
    )


def _full_at(slope: float, percent: float, now: datetime) -> datetime | None:
    left = FULL - percent
    if left <= 0:
        return now
    if slope <= 0 or left / slope > MAX_FORECAST.days:
        return None
    return now + timedelta(days=left / slope)
