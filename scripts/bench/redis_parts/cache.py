"""The cache beside its peers: memory, Redis, a cold key, and the removal of many."""

import asyncio
import multiprocessing
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from importlib.util import find_spec
from multiprocessing.synchronize import Barrier, Event
from typing import TYPE_CHECKING, Any

import orjson
import redis
from redis_parts.figure import Figure, fastest_us, peer

from opsctl.kit import AsyncCache, AsyncRedisClient, Backend, Cache, CacheOptions, RedisClient
from opsctl.kit.cache.memory import MemoryCache
from opsctl.systems.clock import SystemClock

if TYPE_CHECKING:
    from multiprocessing.queues import Queue
    from multiprocessing.sharedctypes import Synchronized

Ask = Callable[[], Awaitable[Any]]
Worker = Callable[[str, Barrier, Any, Any], None]

KEYS = [f"stock:{number:06}" for number in range(500)]
VALUE = {"symbol": "005930", "price": 71000.0, "volume": 3, "name": "Samsung"}
CALLERS, PROCESSES, TAKES_S = 200, 4, 0.2
MANY = 100_000
STALL_MS = 5


def figures(url: str) -> Iterator[Figure]:
    yield from from_redis(url)
    yield from stampede(url)
    yield from removal(url)
    yield from in_memory(url)


def over_all(work: Callable[[str], object]) -> Callable[[], None]:
    def each() -> None:
        for key in KEYS:
            work(key)

    return each


def a_key(works: dict[str, Callable[[str], object]], *, rounds: int = 60) -> dict[str, float]:
    """Say microseconds for one key."""
    doings = {name: over_all(work) for name, work in works.items()}
    taken = fastest_us(doings, rounds=rounds, each=1)
    return {name: us / len(KEYS) for name, us in taken.items()}


def in_memory(url: str) -> Iterator[Figure]:
    with peer("cachetools"):
        import cachetools  # noqa: PLC0415 - a peer that may be missing
    raw = MemoryCache(SystemClock().steady, most_entries=1000, most_bytes=10**8)
    theirs: Any = cachetools.TTLCache(1000, 600)
    lock = threading.RLock()

    def locked(key: str) -> object:
        with lock:
            return theirs.get(key)

    with RedisClient(url, service="bench") as client, Cache(client) as layered:
        layered.set_many(dict.fromkeys(KEYS, VALUE), 600)
        while not layered.listening:
            time.sleep(0.01)
        for key in KEYS:
            raw.put(key, orjson.dumps(VALUE), life_s=600)
            theirs[key] = VALUE
            layered.get(key)
        took = a_key({"raw": raw.get, "theirs": locked, "layered": layered.get})
    yield Figure("L1 get", took["raw"], "us")
    yield Figure("cachetools TTLCache get with its lock", took["theirs"], "us")
    yield Figure("L1 get / cachetools with its lock", took["raw"] / took["theirs"], goal=0.5)
    more = took["layered"] - took["raw"]
    yield Figure("layered hit, more than L1", more, "us", goal=1.5)
    yield Figure("aiocache memory get", aiocache_get_us(), "us")


def aiocache_get_us() -> float:
    with peer("aiocache"):
        import aiocache  # noqa: PLC0415 - same

    async def rounds() -> float:
        memory = aiocache.SimpleMemoryCache()
        await memory.set("k", VALUE, 600)
        fastest = float("inf")
        for _ in range(20):
            began = time.perf_counter()
            for _ in KEYS:
                await memory.get("k")
            fastest = min(fastest, time.perf_counter() - began)
        return fastest / len(KEYS) * 1e6

    return asyncio.run(rounds())


def from_redis(url: str) -> Iterator[Figure]:
    raw: Any = redis.Redis.from_url(url, protocol=2)
    with RedisClient(url, service="bench") as client:
        cache = Cache(client, options=CacheOptions(backend=Backend.REDIS))
        cache.set_many(dict.fromkeys(KEYS, VALUE), 600)
        raw.mset({f"raw:{key}": orjson.dumps(VALUE) for key in KEYS})
        works = {"ours": cache.get, "raw": lambda key: orjson.loads(raw.get(f"raw:{key}"))}
        took = a_key(works, rounds=30)
        cache.close()
    raw.close()
    yield Figure("L2 get", took["ours"], "us")
    yield Figure("L2 get / raw redis-py", took["ours"] / took["raw"], goal=1.15)


async def herd(ask: Ask, gate: Barrier) -> float:
    await asyncio.to_thread(gate.wait)
    began = time.monotonic()
    await asyncio.gather(*(ask() for _ in range(CALLERS)))
    return time.monotonic() - began


def factory_on(calls: "Synchronized[int]") -> Callable[[], Awaitable[dict[str, Any]]]:
    async def factory() -> dict[str, Any]:
        with calls.get_lock():
            calls.value += 1
        await asyncio.sleep(TAKES_S)
        return VALUE

    return factory


def ours(url: str, gate: Barrier, calls: "Synchronized[int]", told: "Queue[float]") -> None:
    async def run() -> float:
        async with AsyncRedisClient(url, service="bench") as client, AsyncCache(client) as cache:
            while not cache.listening:
                await cache.exists("warm")
            factory = factory_on(calls)
            return await herd(lambda: cache.get_or_set("cold", factory, 60), gate)

    told.put(asyncio.run(run()))


def cashews(url: str, gate: Barrier, calls: "Synchronized[int]", told: "Queue[float]") -> None:
    from cashews import Cache as Cashews  # noqa: PLC0415 - a peer that may be missing

    async def run() -> float:
        cache = Cashews()
        cache.setup(url)
        factory = factory_on(calls)
        cached = cache(ttl="60s", key="cold", lock=True)(factory)
        await cache.exists("warm")
        took = await herd(cached, gate)
        await cache.close()
        return took

    told.put(asyncio.run(run()))


def dogpile(url: str, gate: Barrier, calls: "Synchronized[int]", told: "Queue[float]") -> None:
    from dogpile.cache import make_region  # noqa: PLC0415 - same

    arguments = {"url": url, "distributed_lock": True, "thread_local_lock": False}
    region = make_region().configure("dogpile.cache.redis", arguments=arguments)
    region.get("warm")

    def factory() -> dict[str, Any]:
        with calls.get_lock():
            calls.value += 1
        time.sleep(TAKES_S)
        return VALUE

    async def ask() -> object:
        return await asyncio.to_thread(region.get_or_create, "cold", factory, 60)

    told.put(asyncio.run(herd(ask, gate)))


def stampede(url: str) -> Iterator[Figure]:
    what = f"cold key, {CALLERS} callers x {PROCESSES} processes"
    calls, took_s, commands = one_stampede(url, ours)
    yield Figure(f"{what}: factory calls", calls, goal=1)
    yield Figure(f"{what}: Redis commands", commands, goal=40)
    yield Figure(f"{what}: until all have it", took_s, "s")
    for name, worker in (("cashews", cashews), ("dogpile", dogpile)):
        if find_spec(name) is None:
            continue
        calls, took_s, commands = one_stampede(url, worker)
        yield Figure(f"the same, {name}: factory calls", calls)
        yield Figure(f"the same, {name}: Redis commands", commands)
        yield Figure(f"the same, {name}: until all have it", took_s, "s")


def one_stampede(url: str, worker: Worker) -> tuple[int, float, int]:
    spawning = multiprocessing.get_context("spawn")
    watch: Any = redis.Redis.from_url(url)
    watch.flushall()
    gate, calls = spawning.Barrier(PROCESSES + 1), spawning.Value("i", 0)
    told: Any = spawning.Queue()
    group = [
        spawning.Process(target=worker, args=(url, gate, calls, told)) for _ in range(PROCESSES)
    ]
    for process in group:
        process.start()
    while len(watch.client_list()) < PROCESSES + 1:
        time.sleep(0.05)
    time.sleep(1)  # Until each has said hello and asked for its first key.
    watch.config_resetstat()
    gate.wait()
    took_s = max(told.get() for _ in range(PROCESSES))
    stats = watch.info("commandstats")
    for process in group:
        process.join()
    hello = ("config", "info", "client", "hello", "select", "subscribe", "ping", "hset", "hgetall")
    hello += ("time", "pexpire")  # The last ones are the reports on leaving.
    counted = {n: s["calls"] for n, s in stats.items() if not n[8:].startswith(hello)}
    watch.close()
    return calls.value, took_s, sum(counted.values())


def removal(url: str) -> Iterator[Figure]:
    """Several turns: on a shared machine the worst answer of one may be a neighbour's doing."""
    turns = [one_removal(url) for _ in range(10)]
    quiet, meanwhile, took_s, longest = zip(*turns, strict=True)
    yield Figure(f"delete_pattern of {MANY} keys", min(took_s), "s")
    for when, worst, goal in (("before", quiet, None), ("meanwhile", meanwhile, STALL_MS)):
        said = f"another client's worst answer, {when}"
        yield Figure(f"{said}: best turn of 10", min(worst), "ms", goal=goal)
        over = sum(one > STALL_MS for one in worst)
        yield Figure(f"{said}: turns over {STALL_MS} ms", over)
    said = "its longest command, by the server's slow log"
    yield Figure(f"{said}: best turn of 10", min(longest), "ms", goal=STALL_MS)
    yield Figure(f"{said}: worst turn", max(longest), "ms")


def one_removal(url: str) -> tuple[float, float, float, float]:
    raw: Any = redis.Redis.from_url(url)
    with RedisClient(url, service="bench") as client, Cache(client) as cache:
        for at in range(0, MANY, 5000):
            cache.set_many({f"many:{number}": VALUE for number in range(at, at + 5000)}, 600)
        spawning = multiprocessing.get_context("spawn")
        stop, told = spawning.Event(), spawning.Queue()
        other = spawning.Process(target=bystander, args=(url, stop, told))
        other.start()
        quiet = told.get()
        raw.config_set("slowlog-max-len", 1000)
        raw.config_set("slowlog-log-slower-than", 100)
        raw.slowlog_reset()
        began = time.monotonic()
        cache.delete_pattern("many:*")
        took_s = time.monotonic() - began
        stop.set()
        meanwhile = told.get()
        longest_us = max((one["duration"] for one in raw.slowlog_get(1000)), default=100)
        raw.config_set("slowlog-log-slower-than", -1)
        other.join()
    raw.close()
    return quiet, meanwhile, took_s, longest_us / 1000


def bystander(url: str, stop: Event, told: "Queue[float]") -> None:
    """Ask all the time; say the worst answer before and during."""
    client: Any = redis.Redis.from_url(url, protocol=2)

    def worst(until: Callable[[], bool]) -> float:
        slowest = 0.0
        while not until():
            began = time.perf_counter()
            client.get("beside")
            slowest = max(slowest, time.perf_counter() - began)
        return slowest * 1000

    end = time.monotonic() + 1.0
    told.put(worst(lambda: time.monotonic() > end))
    told.put(worst(stop.is_set))
    client.close()
