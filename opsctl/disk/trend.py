"""`opsctl disk trend`: when each mount will be full, or that it is too early to say."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from opsctl.disk.alerts import SERIES
from opsctl.disk.context import DiskContext
from opsctl.disk.forecast import MIN_POINTS, fit_slope, forecast_full
from opsctl.disk.model import DiskTrend, DiskTrendReport, FullForecast, UsagePoint, UsageSlope
from opsctl.findings import Figure, Finding, Level
from opsctl.settings.sections.disk import Disk

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def forecast_disks(context: DiskContext) -> DiskTrendReport:
    """Forecast each mount that has a history."""
    now, disk = context.clock.now(), context.settings.disk
    trends = tuple(_load_trends(context, now, disk))
    return DiskTrendReport(
        tuple(judge_trend(trend, now=now, disk=disk) for trend in trends), trends
    )


def _load_trends(context: DiskContext, now: datetime, disk: Disk) -> Iterator[DiskTrend]:
    since = now - timedelta(days=disk.trend_days)
    for series in context.store.samples.series(SERIES):
        samples = context.store.samples.since(series, since)
        points = tuple(
            UsagePoint(sample.at, sample.value) for sample in samples if sample.at <= now
        )
        if points:
            mount = series.removeprefix(SERIES)
            yield build_trend(mount, points, now=now, min_span=disk.trend_min_hours * HOUR)


def build_trend(
    mount: str, points: tuple[UsagePoint, ...], *, now: datetime, min_span: timedelta
) -> DiskTrend:
    span = points[-1].at - points[0].at
    slope = fit_slope(points)
    if span < min_span or slope is None:
        summary = (
            f"not enough history: {len(points)} samples over {span / HOUR:.1f} h;"
            f" {MIN_POINTS} over {min_span / HOUR:g} h are needed"
        )
        return DiskTrend(mount, points, summary)
    ahead = forecast_full(slope, points[-1].percent, now=now)
    return DiskTrend(mount, points, describe_forecast(slope, ahead), slope, ahead)


def describe_forecast(slope: UsageSlope, ahead: FullForecast) -> str:
    """Give the day, and the range around it."""
    growth = f"{slope.middle:+.2f} % per day ({slope.low:+.2f} to {slope.high:+.2f})"
    if ahead.soonest is None:
        return f"{growth}: it does not fill up"
    soonest = f"{ahead.soonest:%Y-%m-%d}"
    if ahead.likeliest is None:
        return f"{growth}: steady; full on {soonest} at the earliest, probably never"
    latest = f"{ahead.latest:%Y-%m-%d}" if ahead.latest else "never"
    return f"{growth}: full on {ahead.likeliest:%Y-%m-%d}, between {soonest} and {latest}"


def judge_trend(trend: DiskTrend, *, now: datetime, disk: Disk) -> Finding:
    """Warn if it will probably be full within disk.full_within_days."""
    check = f"disk {trend.mount} trend"
    likeliest = trend.forecast.likeliest if trend.forecast else None
    figures: tuple[Figure, ...] = ()
    if trend.slope:
        figures = (Figure("slope_per_day", trend.slope.middle, "%"),)
    if likeliest is None:
        return Finding(check, Level.OK, trend.summary, figures=figures)
    days = (likeliest - now) / DAY
    figures += (Figure("days_until_full", days),)
    if days > disk.full_within_days:
        return Finding(check, Level.OK, trend.summary, figures=figures)
    fix = f"`opsctl disk check` shows what options on {trend.mount}."
    return Finding(check, Level.WARNING, trend.summary, fix=fix, figures=figures)
