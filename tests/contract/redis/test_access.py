from collections.abc import Iterator

import pytest

from opsctl.errors import RefusedError
from opsctl.systems.clock import SystemClock
from opsctl.systems.redis.access import (
    HARMLESS,
    READS,
    WRITES_IN_INDEX,
    Access,
    access_for,
    allowed,
)
from opsctl.systems.redis.client import RedisPy, RedisTarget
from tests.engines.redis import RedisServer


def opened(url: str, access: Access) -> RedisPy:
    return RedisPy(RedisTarget.parse(url), purpose="test", clock=SystemClock(), access=access)


@pytest.fixture
def real(redis_url: str) -> Iterator[RedisPy]:
    connected = opened(redis_url, Access.FULL)
    yield connected
    connected.close()


def commands(client: RedisPy) -> dict[str, set[str]]:
    """Ask the server for every command and subcommand, with its flags."""
    found: dict[str, set[str]] = {}
    queue = list(client.call("COMMAND"))
    while queue:
        name, _arity, flags, *rest = queue.pop()
        found[name.decode()] = {flag.decode() for flag in flags}
        queue.extend(rest[6] if len(rest) > 6 else [])
    return found


def test_no_command_that_the_server_calls_a_write_is_for_reading(real: RedisPy) -> None:
    writes = [name for name, flags in commands(real).items() if "write" in flags]

    let_through = [
        name for name in writes if allowed(tuple(name.split("|")), Access.READ, index=10)
    ]

    assert len(writes) > 100
    assert let_through == []


def test_what_is_for_reading_is_flagged_so_or_listed_as_harmless(real: RedisPy) -> None:
    known = commands(real)

    unflagged = [name for name in READS & known.keys() if "readonly" not in known[name]]

    assert unflagged == []
    assert not (HARMLESS & {name for name, flags in known.items() if "write" in flags})


def test_every_write_of_the_server_is_in_the_index_or_known_to_reach_further(
    real: RedisPy,
) -> None:
    further = {
        *("copy", "move", "swapdb", "flushall", "migrate", "restore-asking", "pfdebug"),
        *("function|load", "function|delete", "function|flush", "function|restore"),
    }

    writes = {name for name, flags in commands(real).items() if "write" in flags}

    assert writes - WRITES_IN_INDEX == further


@pytest.mark.parametrize("access", [Access.READ, Access.OWN_INDEX])
@pytest.mark.parametrize(
    "words",
    [
        ("SELECT", 0),
        ("RESET",),
        ("MOVE", "a", 3),
        ("COPY", "a", "b", "DB", 3),
        ("SWAPDB", 10, 3),
        ("FLUSHALL",),
        ("PUBLISH", "ticker.kr", "x"),
        ("CONFIG", "SET", "maxmemory", "1"),
        ("CONFIG SET", "maxmemory", "1"),
        ("config|set", "maxmemory", "1"),
        (b"flushall",),
        ("SCRIPT", "FLUSH"),
        ("CLIENT", "KILL", "ID", 0),
        ("SHUTDOWN", "NOSAVE"),
        ("REPLICAOF", "127.0.0.1", 1),
        ("DEBUG", "SLEEP", 0),
        ("KEYS", "*"),
        ("NEVERHEARDOF",),
    ],
    ids=str,
)
def test_a_guarded_connection_stays_in_its_index(
    redis_url: str, access: Access, words: tuple[str | bytes | int, ...]
) -> None:
    guarded = opened(redis_url, access)

    with pytest.raises(RefusedError):
        guarded.call(*words)
    guarded.close()


def test_an_experiment_writes_in_its_own_index(redis_server: RedisServer) -> None:
    access = access_for(12, minimum_write_index=10)
    experiment = opened(redis_server.url(12), access)

    experiment.set("a", b"1")

    assert experiment.call("EVAL", "return redis.call('GET', KEYS[1])", 1, "a") == b"1"
    assert experiment.delete("a") == 1
    experiment.close()


@pytest.mark.parametrize(
    ("index", "minimum", "access"),
    [
        (0, None, Access.FULL),
        (0, 10, Access.READ),
        (9, 10, Access.READ),
        (10, 10, Access.OWN_INDEX),
        (15, 10, Access.OWN_INDEX),
    ],
)
def test_an_index_below_the_minimum_is_for_reading(
    index: int, minimum: int | None, access: Access
) -> None:
    assert access_for(index, minimum_write_index=minimum) is access


def test_the_lists_do_not_overlap() -> None:
    assert not READS & HARMLESS
    assert not WRITES_IN_INDEX & (READS | HARMLESS)
