"""Where a line of figures leads: a slope that single jumps do not bend, and when it reaches 100."""

import math
from collections.abc import Sequence
from datetime import datetime, timedelta

from opsctl.disk.model import Forecast, Point, Slope

DAY_S = 86_400.0
# Pairs grow with the square: 300 points are 44,850 slopes, a few ms.
MOST_POINTS = 300
LEAST_POINTS = 8
# Nine times out of ten.
Z = 1.645
FULL = 100.0
# Beyond that it is no forecast.
FARTHEST = timedelta(days=3650)


def slope_of(points: Sequence[Point]) -> Slope | None:
    """Take the median of the slopes of all pairs (Theil and Sen); None for too few points."""
    chosen = thinned(points)
    slopes = sorted(_pairs(chosen))
    if len(chosen) < LEAST_POINTS or not slopes:
        return None
    spread = Z * math.sqrt(_variance(len(chosen)))
    low = max(0, math.floor((len(slopes) - spread) / 2))
    high = min(len(slopes) - 1, math.ceil((len(slopes) + spread) / 2))
    return Slope(slopes[low], _middle(slopes), slopes[high])


def _middle(ordered: Sequence[float]) -> float:
    half, odd = divmod(len(ordered), 2)
    return ordered[half] if odd else (ordered[half - 1] + ordered[half]) / 2


def _variance(count: int) -> float:
    """Of Kendall's score; its quantiles are ranks among the slopes."""
    return count * (count - 1) * (2 * count + 5) / 18


def _pairs(points: Sequence[Point]) -> list[float]:
    days = [point.at.timestamp() / DAY_S for point in points]
    used = [point.percent for point in points]
    return [
        (used[later] - used[sooner]) / (days[later] - days[sooner])
        for later in range(len(points))
        for sooner in range(later)
        if days[later] > days[sooner]
    ]


def thinned(points: Sequence[Point], most: int = MOST_POINTS) -> Sequence[Point]:
    """Keep points evenly over the time, not over the list: the newest are the densest."""
    if len(points) <= most:
        return points
    first, last = points[0].at, points[-1].at
    step = (last - first) / most
    kept: list[Point] = []
    for point in points:
        if not kept or point.at - kept[-1].at >= step:
            kept.append(point)
    return kept


def forecast(slope: Slope, percent: float, *, now: datetime) -> Forecast:
    """Say when 100 % is reached, at the soonest, likeliest and latest."""
    return Forecast(
        soonest=_reached(slope.high, percent, now),
        likeliest=_reached(slope.middle, percent, now),
        latest=_reached(slope.low, percent, now),
    )


def _reached(slope: float, percent: float, now: datetime) -> datetime | None:
    left = FULL - percent
    if left <= 0:
        return now
    if slope <= 0 or left / slope > FARTHEST.days:
        return None
    return now + timedelta(days=left / slope)
