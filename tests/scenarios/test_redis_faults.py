"""Every command that asks Redis, in each of its faults: the documented outcome, in time."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from opsctl.kit import DART, Cache, CacheOptions, LimitPolicies, RateLimiter, RedisClient
from opsctl.systems.clock import SystemClock
from tests.engines.network import LayLine
from tests.engines.redis import OwnRedis
from tests.redis_faults import FAULTS, Stage, stage
from tests.scenarios.conftest import Program
from tests.waiting import wait_for

# redis.timeout_s is 1 s; the rest is a program that starts on a machine that does other things.
DEADLINE_S = 30.0
NO_ANSWER, NOT_IN = "no answer from Redis", "does not accept the login"
DENIED, REPLICA = "does not allow this user a command", "is a replica"
Said = tuple[int, str]
UNAVAILABLE, LOCKED, POOR = (7, NO_ANSWER), (6, NOT_IN), (1, DENIED)
LIVES = (0, '"ttls": [["orderbook", 0.05]')

COLUMNS = {
    "slow": 0,
    **dict.fromkeys(("killed", "hung", "too slow"), 1),
    "wrong password": 2,
    **dict.fromkeys(("wiped", "restarted"), 3),
    "full": 4,
    "replica": 5,
    "no rights": 6,
}
TABLE: dict[str, tuple[Said, ...]] = {
    # well (slow), away, wrong password, emptied, full, replica (its master is gone), no rights
    "health redis": (
        (0, "Redis "),
        (3, NO_ANSWER),
        (3, NOT_IN),
        (0, "Redis "),
        (3, "maxmemory"),
        (3, "the link has been down"),
        (3, '"level": "unknown"'),
    ),
    "debug pubsub": (
        # A full server refuses the transaction that proves patterns: not known, and no false alarm.
        *((0, '"verdict": "OK"'), UNAVAILABLE, LOCKED, (0, '"verdict": "OK"')),
        *((3, "hides its subscribers"), (0, '"verdict": "OK"'), (3, '"verdict": "UNKNOWN"')),
    ),
    "debug redis": (
        *((0, "cache:news_1"), UNAVAILABLE, LOCKED, (0, '"big": []'), (0, "cache:news_1")),
        *((0, "cache:news_1"), (0, '"denied": ["')),
    ),
    "cache stats": (
        *((0, '"processes": 1'), UNAVAILABLE, LOCKED, (0, '"processes": 1'), (0, '"processes": 0')),
        *((0, '"processes": 0'), POOR),
    ),
    "cache health": (
        *((0, "Redis answers"), (3, NO_ANSWER), (3, NOT_IN)),
        *((0, "Redis answers"), (3, "Redis is full")),
        *((3, "Redis is a read-only replica: it stores nothing"), (3, DENIED)),
    ),
    "cache keys": (
        *(
            (0, "news_1"),
            UNAVAILABLE,
            LOCKED,
            (0, '"keys": []'),
            (0, "news_1"),
            (0, "news_1"),
            POOR,
        ),
    ),
    "cache ttl": (LIVES,) * 7,
    "limits show": (
        *((0, '"name": "dart"'), UNAVAILABLE, LOCKED, (0, '"limits": []'), (0, '"name": "dart"')),
        *((0, '"name": "dart"'), POOR),
    ),
    # What removes comes last.
    "cache delete news_* -y": (
        *((0, '"removed": 1'), UNAVAILABLE, LOCKED, (0, '"removed": 0'), (0, '"removed": 1')),
        *((5, REPLICA), POOR),
    ),
    "cache clear -y": (
        *((0, '"removed": 0'), UNAVAILABLE, LOCKED, (0, '"removed": 0'), (0, '"removed": 0')),
        *((5, REPLICA), POOR),
    ),
    "limits reset dart -y": (
        *((0, '"forgotten": 1'), UNAVAILABLE, LOCKED, (2, "No service has used one yet")),
        *((0, '"forgotten": 1'), (5, REPLICA), POOR),
    ),
}

# Nobody listens here, and no limit was used.
WELL_CODES = {name: row[COLUMNS["slow"]][0] for name, row in TABLE.items()}
WELL_CODES |= {"debug pubsub": 3, "limits reset dart -y": 2}
LOST_CODES = {name: row[COLUMNS["too slow"]][0] for name, row in TABLE.items()}


@contextmanager
def service(there: Stage) -> Iterator[RedisClient]:
    """One that caches, keeps a limit and listens, as the stack's own do."""
    with (
        RedisClient(there.url, service="archiver") as client,
        Cache(client, options=CacheOptions()) as cache,
    ):
        client.listen(print, channels=["market_ticker"], patterns=["ticker.*"])
        cache.set("news_1", 1)
        RateLimiter(client, policies=LimitPolicies(after_restart="trust")).allow(DART)
        listening(there)
        yield client


def listening(there: Stage) -> None:
    wait_for(lambda: there.server.cli("PUBSUB", "NUMPAT") == "1", 60, "the pattern")
    channels = ("market_ticker", "opsctl:cache-events")
    for name in channels:
        heard = f"{name}\n1"
        wait_for(lambda: there.server.cli("PUBSUB", "NUMSUB", name) == heard, 60, name)  # noqa: B023 - used in this turn


# A line that is too slow is tried below, with packets of its own.
@pytest.mark.parametrize("fault", [name for name in FAULTS if name != "too slow"])
def test_each_command_says_what_is_documented_in_time(
    own_redis: OwnRedis, project: Program, fault: str
) -> None:
    clock = SystemClock()
    wanted = {command: row[COLUMNS[fault]] for command, row in TABLE.items()}
    said, took = {}, {}
    with stage(own_redis, fault) as there, service(there):
        environ = environ_of(there.url)
        FAULTS[fault].begin(there)
        if fault == "restarted":
            listening(there)
        for command, (_, words) in wanted.items():
            began = clock.steady()
            answer = project(*command.split(), "--json", environ=environ)
            took[command] = clock.steady() - began
            shown = answer.out + answer.err
            said[command] = (answer.code, words if words in shown else shown)
        FAULTS[fault].end(there)

    assert said == wanted
    assert max(took.values()) < DEADLINE_S


@pytest.mark.parametrize(
    ("delay_s", "codes"), [(0.02, WELL_CODES), (0.6, LOST_CODES)], ids=["late", "too late"]
)
def test_a_line_within_the_deadline_is_used_and_a_later_one_is_said(
    slow_network: LayLine,
    own_redis: OwnRedis,
    project: Program,
    *,
    delay_s: float,
    codes: dict[str, int],
) -> None:
    line = slow_network(delay_s=delay_s)
    server, clock = own_redis(on=line.there), SystemClock()
    server.cli("-n", "1", "SET", "opsctl:cache:news_1", "1", "EX", "600")
    over_there = replace(project, within=line.here.within)
    said, took = {}, []

    for command in codes:
        began = clock.steady()
        said[command] = over_there(*command.split(), environ=environ_of(server.url(1))).code
        took.append(clock.steady() - began)

    assert said == codes
    assert max(took) < DEADLINE_S


def environ_of(url: str) -> dict[str, str]:
    return {
        "REDIS_ENABLED": "true",
        "REDIS_URL": url,
        "CACHE_BACKEND": "layered",
        # The machine of the tests does other things as well.
        "OPSCTL_PROBE_PING_WARN_MS": "2000",
        "OPSCTL_PROBE_PING_CRITICAL_MS": "5000",
    }
