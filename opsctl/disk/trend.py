"""`opsctl disk trend`: where each mount is heading, or that nobody can tell yet."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from opsctl.disk.alerts import SERIES
from opsctl.disk.context import Parts
from opsctl.disk.model import Forecast, Point, Slope, Trend, TrendReport
from opsctl.disk.slope import LEAST_POINTS, forecast, slope_of
from opsctl.findings import Figure, Finding, Level
from opsctl.settings.sections.disk import Disk

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def look_ahead(parts: Parts) -> TrendReport:
    """Judge each mount that has a history."""
    now, disk = parts.clock.now(), parts.settings.disk
    trends = tuple(_trends(parts, now, disk))
    return TrendReport(tuple(judge(trend, now=now, disk=disk) for trend in trends), trends)


def _trends(parts: Parts, now: datetime, disk: Disk) -> Iterator[Trend]:
    since = now - timedelta(days=disk.trend_days)
    for series in parts.store.samples.series(SERIES):
        samples = parts.store.samples.since(series, since)
        points = tuple(Point(sample.at, sample.value) for sample in samples if sample.at <= now)
        if points:
            mount = series.removeprefix(SERIES)
            yield trend_of(mount, points, now=now, least=disk.trend_least_hours * HOUR)


def trend_of(mount: str, points: tuple[Point, ...], *, now: datetime, least: timedelta) -> Trend:
    span = points[-1].at - points[0].at
    slope = slope_of(points)
    if span < least or slope is None:
        said = (
            f"not enough history: {len(points)} samples over {span / HOUR:.1f} h;"
            f" {LEAST_POINTS} over {least / HOUR:g} h are wanted"
        )
        return Trend(mount, points, said)
    ahead = forecast(slope, points[-1].percent, now=now)
    return Trend(mount, points, spoken(slope, ahead), slope, ahead)


def spoken(slope: Slope, ahead: Forecast) -> str:
    """Say the day, and how sure it is."""
    grows = f"{slope.middle:+.2f} % a day ({slope.low:+.2f} to {slope.high:+.2f})"
    if ahead.soonest is None:
        return f"{grows}: it does not fill up"
    if ahead.likeliest is None:
        return f"{grows}: steady; full on {ahead.soonest:%Y-%m-%d} at the soonest, likely never"
    latest = f"{ahead.latest:%Y-%m-%d}" if ahead.latest else "never"
    day, soonest = f"{ahead.likeliest:%Y-%m-%d}", f"{ahead.soonest:%Y-%m-%d}"
    return f"{grows}: full on {day}, between {soonest} and {latest}"


def judge(trend: Trend, *, now: datetime, disk: Disk) -> Finding:
    """Warn when it is likely to be full within the days of the settings."""
    check = f"disk {trend.mount} trend"
    likeliest = trend.forecast.likeliest if trend.forecast else None
    figures: tuple[Figure, ...] = ()
    if trend.slope:
        figures = (Figure("slope_per_day", trend.slope.middle, "%"),)
    if likeliest is None:
        return Finding(check, Level.OK, trend.said, figures=figures)
    days = (likeliest - now) / DAY
    figures += (Figure("days_until_full", days),)
    if days > disk.full_within_days:
        return Finding(check, Level.OK, trend.said, figures=figures)
    fix = f"`opsctl disk check` shows what helps on {trend.mount}."
    return Finding(check, Level.WARNING, trend.said, fix=fix, figures=figures)
