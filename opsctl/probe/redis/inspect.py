"""What costs: slow commands, big keys, hot keys, clients. No query stalls Redis."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from heapq import nlargest
from typing import TypeVar

from opsctl.errors import OpsctlError, UnreachableError
from opsctl.health_rules.measurements import ClientConnection
from opsctl.probe.pubsub.inspect_node import describe_error, require_answer
from opsctl.probe.redis.measure import scan_keys
from opsctl.probe.redis.parse_clients import parse_clients
from opsctl.settings.sections.probe import Probe
from opsctl.systems.clock import Clock
from opsctl.systems.redis.client import Redis

T = TypeVar("T")
_SHOWN_WORDS = 2
_SHOWN_LETTERS = 80
_NESTED_SAMPLES = 5
_LENGTHS = {
    "string": "STRLEN",
    "list": "LLEN",
    "set": "SCARD",
    "zset": "ZCARD",
    "hash": "HLEN",
    "stream": "XLEN",
}


@dataclass(frozen=True, slots=True)
class SlowCommand:
    at: datetime
    took_ms: float
    command: str
    """The command and its key; values may be secrets and stay out."""
    client: str


@dataclass(frozen=True, slots=True)
class BigKey:
    key: str
    kind: str
    bytes: int
    length: int


@dataclass(frozen=True, slots=True)
class HotKey:
    key: str
    frequency: int | None
    """Redis's own count, 0 to 255, under an LFU policy."""
    idle_s: int | None
    """Without LFU: how long ago it was touched."""


@dataclass(frozen=True, slots=True)
class RedisInspection:
    """`denied` says what the server did not let us see."""

    address: str
    scanned_keys: int
    complete: bool
    slow: tuple[SlowCommand, ...] = ()
    big: tuple[BigKey, ...] = ()
    hot: tuple[HotKey, ...] = ()
    clients: tuple[ClientConnection, ...] = ()
    denied: tuple[str, ...] = field(default=())


_KeyScanResult = tuple[list[BigKey], list[HotKey], int]


def inspect_redis(redis: Redis, rules: Probe, clock: Clock) -> RedisInspection:
    require_answer(redis)
    denied: list[str] = []

    def ask(name: str, question: Callable[[], T], otherwise: T) -> T:
        try:
            return question()
        except UnreachableError:
            raise
        except OpsctlError as error:
            denied.append(f"{name}: {describe_error(error)}")
            return otherwise

    nothing: _KeyScanResult = ([], [], 0)
    big, hot, scanned_keys = ask("keys", lambda: _scan_keys(redis, rules, clock), nothing)
    return RedisInspection(
        address=redis.address,
        scanned_keys=scanned_keys,
        complete=scanned_keys >= ask("size", lambda: int(redis.call("DBSIZE")), 0),
        slow=ask("slow log", lambda: tuple(_read_slow_log(redis, rules)), ()),
        big=tuple(nlargest(rules.top, big, key=lambda key: key.bytes)),
        hot=tuple(nlargest(rules.top, hot, key=_rank_use)),
        clients=ask("clients", lambda: _list_clients(redis, rules), ()),
        denied=tuple(denied),
    )


def _rank_use(key: HotKey) -> tuple[int, int]:
    return key.frequency or 0, -(key.idle_s or 0)


def _read_slow_log(redis: Redis, rules: Probe) -> Iterator[SlowCommand]:
    for _, at, took_us, words, *rest in redis.call("SLOWLOG", "GET", rules.top):
        name, address = (_decode(rest[1]), _decode(rest[0])) if len(rest) > 1 else ("", "")
        shown = " ".join(_decode(word)[:_SHOWN_LETTERS] for word in words[:_SHOWN_WORDS])
        hidden = len(words) - _SHOWN_WORDS
        more = f" (+{hidden} more)" if hidden > 0 else ""
        when = datetime.fromtimestamp(int(at), UTC)
        yield SlowCommand(when, int(took_us) / 1000, shown + more, name or address)


def _scan_keys(redis: Redis, rules: Probe, clock: Clock) -> _KeyScanResult:
    """Look at keys step by step, keeping only the top ones of each step."""
    counts_uses = b"lfu" in b" ".join(redis.call("CONFIG", "GET", "maxmemory-policy"))
    big: list[BigKey] = []
    hot: list[HotKey] = []
    scanned_keys = 0
    for keys in scan_keys(redis, rules, clock):
        scanned_keys += len(keys)
        big = nlargest(rules.top, [*big, *_measure_sizes(redis, keys)], key=lambda key: key.bytes)
        hot = nlargest(
            rules.top, [*hot, *_measure_use(redis, keys, lfu=counts_uses)], key=_rank_use
        )
    return _add_type_and_length(redis, big), hot, scanned_keys


def _measure_sizes(redis: Redis, keys: Sequence[str]) -> Iterator[BigKey]:
    asked = [("MEMORY", "USAGE", _encode_key(key), "SAMPLES", _NESTED_SAMPLES) for key in keys]
    for key, size in zip(keys, redis.batch(asked), strict=True):
        if isinstance(size, int):
            yield BigKey(key, "", size, 0)


def _add_type_and_length(redis: Redis, big: Sequence[BigKey]) -> list[BigKey]:
    kinds = [_decode(kind) for kind in redis.batch([("TYPE", _encode_key(one.key)) for one in big])]
    lengths = redis.batch(
        [
            (_LENGTHS.get(kind, "EXISTS"), _encode_key(one.key))
            for kind, one in zip(kinds, big, strict=True)
        ]
    )
    found = zip(big, kinds, lengths, strict=True)
    return [
        BigKey(one.key, kind, one.bytes, length if isinstance(length, int) else 0)
        for one, kind, length in found
    ]


def _measure_use(redis: Redis, keys: Sequence[str], *, lfu: bool) -> Iterator[HotKey]:
    word = "FREQ" if lfu else "IDLETIME"
    answers = redis.batch([("OBJECT", word, _encode_key(key)) for key in keys])
    for key, answer in zip(keys, answers, strict=True):
        if isinstance(answer, int):
            yield HotKey(key, answer, None) if lfu else HotKey(key, None, answer)


def _list_clients(redis: Redis, rules: Probe) -> tuple[ClientConnection, ...]:
    clients = parse_clients(redis.call("CLIENT", "LIST").decode())
    return tuple(nlargest(rules.top, clients, key=lambda one: (one.waiting_bytes, one.age_s)))


def _encode_key(key: str) -> bytes:
    return key.encode(errors="surrogateescape")


def _decode(word: object) -> str:
    return word.decode(errors="backslashreplace") if isinstance(word, bytes) else str(word)
