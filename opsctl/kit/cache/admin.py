"""The cache seen from the terminal: the reports of all processes, its keys, and their removal."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from opsctl.errors import OpsctlError, UnreachableError
from opsctl.findings import Figure, Finding, Level
from opsctl.kit.cache.layers import Layers, Setup
from opsctl.kit.cache.names import Event, Names
from opsctl.kit.cache.reports import Process, parse_reports, seconds_in
from opsctl.kit.cache.steps import Ask, Steps
from opsctl.kit.cache.writes import unlink_like
from opsctl.systems.clock import Clock
from opsctl.systems.redis.client import Redis

T = TypeVar("T")
_STEP = 1000
_ANSWER_S = 1.0
_POLL_S = 0.03
_SILENT_S = 25.0
_FEWEST_ASKED = 100
"""Below this many questions a hit rate says nothing."""


@dataclass(frozen=True, slots=True)
class Totals:
    processes: int
    hits: int
    misses: int
    errors: int
    hit_rate_percent: float | None
    goal_percent: float


@dataclass(frozen=True, slots=True)
class CacheStats:
    """`age_s` of a process: since its last report."""

    totals: Totals
    processes: tuple[Process, ...]
    ages_s: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class CacheHealth:
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class CachedKey:
    key: str
    ttl_s: float | None
    """None: it never ends, and was not written by this cache."""
    bytes: int


@dataclass(frozen=True, slots=True)
class CacheKeys:
    keys: tuple[CachedKey, ...]
    whole: bool
    """False when there are more than were asked for."""


@dataclass(frozen=True, slots=True)
class Removal:
    """What is to be removed, or has been."""

    pattern: str
    matching: int
    removed: int | None = None


def read_stats(redis: Redis, prefix: str, *, goal_percent: float, clock: Clock) -> CacheStats:
    """Ask every process for its figures, give them a moment, and add up."""
    names = Names(prefix)
    now = seconds_in(redis.call("TIME"))
    asked = redis.call("PUBLISH", names.channel, Event("terminal", asks_report=True).encode())
    until = clock.steady() + (_ANSWER_S if asked else 0.0)
    found = _reports(redis, names)
    while sum(process.at >= now for process in found) < asked and clock.steady() < until:
        clock.sleep(_POLL_S)
        found = _reports(redis, names)
    ages = tuple(max(0.0, now - process.at) for process in found)
    return CacheStats(_totals(found, goal_percent), tuple(found), ages)


def read_health(
    redis: Redis, prefix: str, *, goal_percent: float, clock: Clock, backend: str
) -> CacheHealth:
    try:
        stats = read_stats(redis, prefix, goal_percent=goal_percent, clock=clock)
        listening = int(redis.call("PUBSUB", "NUMSUB", Names(prefix).channel)[1])
        shared = _judge_redis(redis)
    except OpsctlError as error:
        what = f"{error.what}: {error.why}" if error.why else error.what
        fix = f"{error.hint} Until then each process has its own memory alone.".strip()
        return CacheHealth((Finding("redis", Level.CRITICAL, what, fix=fix),))
    return CacheHealth((*_judge_rate(stats), shared, *_judge_layers(stats, backend, listening)))


def list_keys(redis: Redis, prefix: str, pattern: str, *, most: int) -> CacheKeys:
    """Walk in small steps; end when enough are found."""
    names = Names(prefix)
    found: list[bytes] = []
    for step in _walk(redis, names.values_like(pattern)):
        found += step
        if len(found) > most:
            break
    shown = sorted(set(found))[:most]
    asked = [word for name in shown for word in (("PTTL", name), ("STRLEN", name))]
    replies = redis.batch(asked)
    keys = tuple(
        CachedKey(names.plain(name.decode(errors="replace")), _seconds(life), _size(size))
        for name, life, size in zip(shown, replies[::2], replies[1::2], strict=True)
    )
    return CacheKeys(keys, whole=len(found) <= most)


def plan_removal(redis: Redis, prefix: str, pattern: str) -> Removal:
    matching = sum(len(step) for step in _walk(redis, Names(prefix).values_like(pattern)))
    return Removal(pattern, matching)


def remove(redis: Redis, prefix: str, plan: Removal, clock: Clock) -> Removal:
    """Delete in Redis, and tell every process to forget."""
    layers = Layers(Setup(prefix=prefix), clock, redis=True)
    return replace(plan, removed=_carry(redis, unlink_like(layers, plan.pattern)))


def _carry(redis: Redis, steps: Steps[T]) -> T:
    try:
        effect = next(steps)
        while isinstance(effect, Ask):
            effect = steps.send(redis.batch(effect.commands))
    except StopIteration as done:
        return done.value  # type: ignore[no-any-return]  # StopIteration has no type
    raise TypeError(effect)


def _walk(redis: Redis, match: str) -> Iterator[list[bytes]]:
    cursor: Any = 0
    while True:
        cursor, names = redis.call("SCAN", cursor, "MATCH", match, "COUNT", _STEP)
        yield names
        if int(cursor) == 0:
            return


def _reports(redis: Redis, names: Names) -> list[Process]:
    told = parse_reports(redis.call("HGETALL", names.reports))
    found = [process for process in told.values() if process is not None]
    return sorted(found, key=lambda process: (process.service, process.host, process.pid))


def _totals(processes: list[Process], goal_percent: float) -> Totals:
    def total(name: str) -> int:
        return sum(process.figures.get(name, 0) for process in processes)

    hits, misses = total("l1_hits") + total("l2_hits"), total("misses")
    asked = hits + misses
    rate = 100 * hits / asked if asked else None
    return Totals(len(processes), hits, misses, total("errors"), rate, goal_percent)


def _judge_rate(stats: CacheStats) -> Iterator[Finding]:
    totals = stats.totals
    asked = totals.hits + totals.misses
    if totals.hit_rate_percent is None:
        yield Finding("hit rate", Level.OK, "nobody has asked the cache yet")
        return
    rate = totals.hit_rate_percent
    low = rate < totals.goal_percent and asked >= _FEWEST_ASKED
    yield Finding(
        "hit rate",
        Level.WARNING if low else Level.OK,
        f"{rate:.1f} % of {asked} questions; the goal is {totals.goal_percent:g} %",
        fix="Longer TTLs, more l1_max_entries, or warm-up: `opsctl cache stats` shows where.",
        figures=(Figure("hit_rate", rate, "%"),),
    )


def _judge_redis(redis: Redis) -> Finding:
    """Say whether it keeps what it is given: a replica and a full server only answer."""
    try:
        about = {**redis.info("replication"), **redis.info("memory")}
    except UnreachableError:
        raise
    except OpsctlError as error:
        said = f"the shared layer answers; whether it keeps anything is hidden: {error.why}"
        return Finding("redis", Level.UNKNOWN, said, fix="Give this user +info.")
    if about.get("slave_read_only") == "1":
        said = "a replica answers: it is read, and keeps nothing of ours"
        return Finding("redis", Level.CRITICAL, said, fix="Point the cache at its master.")
    if is_full(about):
        said = f"the shared layer is full ({about['used_memory_human']}), and keeps nothing new"
        fix = "Raise maxmemory, give values shorter lives, or `opsctl cache clear`."
        return Finding("redis", Level.CRITICAL, said, fix=fix)
    return Finding("redis", Level.OK, "the shared layer answers")


def is_full(about: Mapping[str, str]) -> bool:
    """Whether a server that evicts nothing has used what it may."""
    most = int(about.get("maxmemory", "0"))
    evicts = about.get("maxmemory_policy") != "noeviction"
    return not evicts and 0 < most <= int(about.get("used_memory", "0"))


def _judge_layers(stats: CacheStats, backend: str, listening: int) -> Iterator[Finding]:
    alive = [
        process
        for process, age_s in zip(stats.processes, stats.ages_s, strict=True)
        if age_s < _SILENT_S and not process.ended
    ]
    layered = sum(process.backend == "layered" for process in alive)
    deaf = max(0, layered - listening)
    yield Finding(
        "processes",
        Level.WARNING if deaf else Level.OK,
        f"{len(alive)} report ({backend} is set), {listening} hear of changes",
        fix=f"{deaf} do not listen and read Redis only: see their logs.",
        figures=(Figure("alive", len(alive)), Figure("listening", listening)),
    )
    errors = sum(process.figures.get("errors", 0) for process in alive)
    share = 100 * errors / max(1, errors + sum(process.asked for process in alive))
    yield Finding(
        "errors",
        Level.WARNING if share >= 1 else Level.OK,
        f"{errors} of the questions of living processes failed ({share:.1f} %)",
        fix="`opsctl health redis` says what is wrong with it.",
        figures=(Figure("errors", errors), Figure("share", share, "%")),
    )


def _seconds(life: Any) -> float | None:  # noqa: ANN401 - an answer of Redis
    return life / 1000 if isinstance(life, int) and life >= 0 else None


def _size(size: Any) -> int:  # noqa: ANN401 - same
    return size if isinstance(size, int) else 0


def lives_table(lives: Mapping[str, float]) -> tuple[tuple[str, float], ...]:
    return tuple(sorted(lives.items(), key=lambda pair: (pair[1], pair[0])))
