"""Judges the cache over all processes, for `opsctl cache health`."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from opsctl.errors import OpsctlError, UnreachableError
from opsctl.findings import Figure, Finding, Level
from opsctl.kit.cache.admin.statistics import CacheStats, read_stats
from opsctl.kit.cache.keys import KeyNames
from opsctl.systems.clock import Clock
from opsctl.systems.redis.client import Redis

_SILENT_S = 25.0
_FEWEST_LOOKUPS = 100
"""Below this many lookups a hit rate means nothing."""


@dataclass(frozen=True, slots=True)
class CacheHealth:
    findings: tuple[Finding, ...]


def read_health(
    redis: Redis, prefix: str, *, goal_percent: float, clock: Clock, backend: str
) -> CacheHealth:
    try:
        stats = read_stats(redis, prefix, goal_percent=goal_percent, clock=clock)
        listening = int(redis.call("PUBSUB", "NUMSUB", KeyNames(prefix).channel)[1])
        redis_finding = _judge_redis(redis)
    except OpsctlError as error:
        what = f"{error.what}: {error.why}" if error.why else error.what
        fix = f"{error.hint} Until then, each process uses its own memory alone.".strip()
        return CacheHealth((Finding("redis", Level.CRITICAL, what, fix=fix),))
    processes = _judge_processes(stats, backend, listening)
    return CacheHealth((_judge_hit_rate(stats), redis_finding, *processes))


def _judge_hit_rate(stats: CacheStats) -> Finding:
    totals = stats.totals
    rate = totals.hit_rate_percent
    if rate is None:
        return Finding("hit rate", Level.OK, "nothing has been looked up yet")
    low = rate < totals.goal_percent and totals.lookups >= _FEWEST_LOOKUPS
    return Finding(
        "hit rate",
        Level.WARNING if low else Level.OK,
        f"{rate:.1f} % of {totals.lookups} lookups; the goal is {totals.goal_percent:g} %",
        fix="Use longer TTLs, more l1_max_entries, or warm-up: see `opsctl cache stats`.",
        figures=(Figure("hit_rate", rate, "%"),),
    )


def _judge_redis(redis: Redis) -> Finding:
    """Report whether it stores what is written: a replica and a full server only answer."""
    try:
        info = {**redis.info("replication"), **redis.info("memory")}
    except UnreachableError:
        raise
    except OpsctlError as error:
        what = f"Redis answers; cannot find out whether it stores anything: {error.why}"
        return Finding("redis", Level.UNKNOWN, what, fix="Give this user the right +info.")
    if info.get("slave_read_only") == "1":
        what = "Redis is a read-only replica: it stores nothing"
        return Finding("redis", Level.CRITICAL, what, fix="Point the cache at its master.")
    if is_full(info):
        what = f"Redis is full ({info['used_memory_human']}) and stores nothing new"
        fix = "Raise maxmemory, use shorter TTLs, or run `opsctl cache clear`."
        return Finding("redis", Level.CRITICAL, what, fix=fix)
    return Finding("redis", Level.OK, "Redis answers")


def is_full(info: Mapping[str, str]) -> bool:
    """Whether a server that evicts nothing has used up maxmemory."""
    most = int(info.get("maxmemory", "0"))
    evicts = info.get("maxmemory_policy") != "noeviction"
    return not evicts and 0 < most <= int(info.get("used_memory", "0"))


def _judge_processes(stats: CacheStats, backend: str, listening: int) -> Iterator[Finding]:
    alive = [
        report
        for report, age_s in zip(stats.processes, stats.ages_s, strict=True)
        if age_s < _SILENT_S and not report.ended
    ]
    layered = sum(report.backend == "layered" for report in alive)
    not_listening = max(0, layered - listening)
    yield Finding(
        "processes",
        Level.WARNING if not_listening else Level.OK,
        f"{len(alive)} running (backend {backend}), {listening} receive changes",
        fix=f"{not_listening} receive no changes and read Redis only: see their logs.",
        figures=(Figure("alive", len(alive)), Figure("listening", listening)),
    )
    errors = sum(report.figures.get("errors", 0) for report in alive)
    share = 100 * errors / max(1, errors + sum(report.lookups for report in alive))
    yield Finding(
        "errors",
        Level.WARNING if share >= 1 else Level.OK,
        f"{errors} lookups of running processes failed ({share:.1f} %)",
        fix="Run `opsctl health redis` to find out what is wrong with Redis.",
        figures=(Figure("errors", errors), Figure("share", share, "%")),
    )
