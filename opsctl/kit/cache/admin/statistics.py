"""Statistics of the cache over all processes, for `opsctl cache stats`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from opsctl.kit.cache.keys import CacheEvent, KeyNames
from opsctl.kit.cache.reports import ProcessReport, parse_reports, server_seconds
from opsctl.systems.clock import Clock
from opsctl.systems.redis.client import Redis

_LONGEST_WAIT_S = 1.0
_POLL_S = 0.03


@dataclass(frozen=True, slots=True)
class CacheTotals:
    processes: int
    hits: int
    misses: int
    errors: int
    hit_rate_percent: float | None
    goal_percent: float

    @property
    def lookups(self) -> int:
        return self.hits + self.misses


@dataclass(frozen=True, slots=True)
class CacheStats:
    """`ages_s`: per process, the seconds since its last report."""

    totals: CacheTotals
    processes: tuple[ProcessReport, ...]
    ages_s: tuple[float, ...]


def read_stats(redis: Redis, prefix: str, *, goal_percent: float, clock: Clock) -> CacheStats:
    """Ask every process for its figures, wait a moment for them, and add them up."""
    keys = KeyNames(prefix)
    now = server_seconds(redis.call("TIME"))
    request = CacheEvent("terminal", asks_report=True).encode()
    expected = redis.call("PUBLISH", keys.channel, request)
    until = clock.steady() + (_LONGEST_WAIT_S if expected else 0.0)
    reports = _read_reports(redis, keys)
    while sum(report.at >= now for report in reports) < expected and clock.steady() < until:
        clock.sleep(_POLL_S)
        reports = _read_reports(redis, keys)
    ages = tuple(max(0.0, now - report.at) for report in reports)
    return CacheStats(_add_up(reports, goal_percent), tuple(reports), ages)


def list_ttls(ttls: Mapping[str, float]) -> tuple[tuple[str, float], ...]:
    """Sort TTLs by length, then by name."""
    return tuple(sorted(ttls.items(), key=lambda pair: (pair[1], pair[0])))


def _read_reports(redis: Redis, keys: KeyNames) -> list[ProcessReport]:
    parsed = parse_reports(redis.call("HGETALL", keys.reports))
    reports = [report for report in parsed.values() if report is not None]
    return sorted(reports, key=lambda report: (report.service, report.host, report.pid))


def _add_up(reports: Sequence[ProcessReport], goal_percent: float) -> CacheTotals:
    def total(name: str) -> int:
        return sum(report.figures.get(name, 0) for report in reports)

    hits, misses = total("l1_hits") + total("l2_hits"), total("misses")
    lookups = hits + misses
    rate = 100 * hits / lookups if lookups else None
    return CacheTotals(len(reports), hits, misses, total("errors"), rate, goal_percent)
