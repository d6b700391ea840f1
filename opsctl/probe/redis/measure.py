"""Measures a Redis: cheap commands only, a bounded scan, and nothing that stalls others."""

from collections.abc import Callable, Iterator
from typing import TypeVar

from opsctl.errors import OpsctlError, UnreachableError
from opsctl.health_rules.measurements import KeyScan, RedisMeasurements
from opsctl.probe.redis.parse_clients import parse_clients
from opsctl.settings.sections.probe import Probe
from opsctl.systems.clock import Clock
from opsctl.systems.redis.client import Redis, parse_info
from opsctl.systems.redis.glob import matches

T = TypeVar("T")
_STEP = 500
_EXAMPLES = 3
_SLOW_READ = 1000


def measure_redis(redis: Redis, rules: Probe, clock: Clock) -> RedisMeasurements:
    """Raise only when Redis does not answer at all; what is denied is left out and named."""
    pings = _measure_pings(redis, rules, clock)
    denied: dict[str, str] = {}

    def ask(name: str, question: Callable[[], T]) -> T | None:
        try:
            return question()
        except UnreachableError:
            raise
        except OpsctlError as error:
            denied[name] = error.why or error.what
            return None

    info = ask("info", lambda: parse_info(redis.call("INFO").decode()))
    return RedisMeasurements(
        address=redis.address,
        info=info or {},
        pings_ms=pings,
        slow=ask("slow log", lambda: _count_slow_commands(redis, rules)),
        clients=ask("clients", lambda: parse_clients(redis.call("CLIENT", "LIST").decode())),
        saves=ask("snapshots", lambda: _read_setting(redis, "save")),
        walk=ask("keys", lambda: count_keys_without_ttl(redis, rules, clock)),
        denied=denied,
    )


def _measure_pings(redis: Redis, rules: Probe, clock: Clock) -> tuple[float, ...]:
    redis.ping()  # The first one also connects.
    taken: list[float] = []
    until = clock.steady() + rules.budget_s
    for _ in range(rules.samples):
        began = clock.steady()
        if taken and began >= until:
            break
        redis.ping()
        taken.append((clock.steady() - began) * 1000)
    return tuple(taken)


def _count_slow_commands(redis: Redis, rules: Probe) -> int:
    seconds = int(redis.call("TIME")[0])
    entries = redis.call("SLOWLOG", "GET", _SLOW_READ)
    return sum(seconds - int(entry[1]) <= rules.slow_window_s for entry in entries)


def _read_setting(redis: Redis, name: str) -> str:
    pairs = redis.call("CONFIG", "GET", name)
    return str(pairs[1].decode()) if pairs else ""


def scan_keys(redis: Redis, rules: Probe, clock: Clock) -> Iterator[list[str]]:
    """Walk over keys in small steps until the end, the limit or the time; stop short in between."""
    until = clock.steady() + rules.budget_s
    cursor: bytes | int = 0
    seen = 0
    while True:
        cursor, keys = redis.call("SCAN", cursor, "COUNT", _STEP)
        seen += len(keys)
        yield [key.decode(errors="surrogateescape") for key in keys]
        if int(cursor) == 0 or seen >= rules.max_keys or clock.steady() >= until:
            return


def count_keys_without_ttl(redis: Redis, rules: Probe, clock: Clock) -> KeyScan:
    """Count keys that should expire and never will."""
    scanned_keys = without_ttl = 0
    examples: list[str] = []
    for keys in scan_keys(redis, rules, clock):
        scanned_keys += len(keys)
        ours = [key for key in keys if any(matches(pattern, key) for pattern in rules.ttl_patterns)]
        lives = redis.batch([("PTTL", key.encode(errors="surrogateescape")) for key in ours])
        lasting = [key for key, life in zip(ours, lives, strict=True) if life == -1]
        without_ttl += len(lasting)
        examples += lasting[: _EXAMPLES - len(examples)]
    complete = scanned_keys >= int(redis.call("DBSIZE"))
    return KeyScan(scanned_keys, complete, without_ttl, tuple(examples))
