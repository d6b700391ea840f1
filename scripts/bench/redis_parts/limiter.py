"""The limiter beside its peers: a call's price, the worst true window, and who waits how long."""

import functools
import multiprocessing
import time
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier
from typing import Any

import redis
from redis_parts.figure import Figure, fastest_us, peer

from opsctl.kit import Client, Policies, Rate, RateLimiter

PROCESSES = 8
SECONDS = 4.0
# Bursts come this close around the whole seconds, where counters start anew.
EDGE_S = 0.1
BUSY = Rate("busy", 100, 1.0)
QUEUE = Rate("queue", 5, 1.0)
TRUSTING = Policies("closed", after_restart="trust")
_FORK = multiprocessing.get_context("fork")
Ask = Callable[[], bool]
Worked = tuple[list[float], list[float], int]


def figures(url: str) -> Iterator[Figure]:
    yield from prices(url)
    for name, make in (("kit", kit), ("limits moving window", limits_moving)):
        for bursts in (False, True):
            granted, _, _ = together(make, url, bursts=bursts)
            where = "at the boundaries" if bursts else "constant"
            goal = 100.5 if name == "kit" else None
            yield Figure(f"worst second of 100/s, {where}: {name}", worst(granted), "", goal=goal)
    yield from queueing(url)


def prices(url: str) -> Iterator[Figure]:
    with peer("limits"):
        theirs = limits_moving(url)
    ours = kit(url)
    taken = fastest_us({"ours": ours, "theirs": theirs})
    yield Figure("limiter allow", taken["ours"], "us")
    yield Figure("limits moving window", taken["theirs"], "us")
    rate = taken["theirs"] / taken["ours"]
    yield Figure("allow: rate / that of limits", rate, "", goal=1.0, better="more")
    for name, doing in (("kit", ours), ("limits", theirs)):
        yield Figure(f"server time a call: {name}", server_us(url, doing), "us")


def queueing(url: str) -> Iterator[Figure]:
    granted, waits, calls = together(kit_waiting, url, bursts=False)
    yield Figure("wait() for 5/s, 8 processes: calls a grant", calls / len(granted), "", goal=1.2)
    yield Figure("wait(): longest wait", max(waits), "s")
    yield Figure("wait(): worst second", worst(granted), "", goal=5.5)


def kit(url: str) -> Ask:
    limiter = RateLimiter(Client(url, service="bench"), "bench", policies=TRUSTING)
    return lambda: limiter.allow(BUSY).allowed


def kit_waiting(url: str) -> Ask:
    limiter = RateLimiter(Client(url, service="bench"), "bench", policies=TRUSTING)
    return lambda: limiter.wait(QUEUE, max_wait=30.0).allowed


def limits_moving(url: str) -> Ask:
    from limits import RateLimitItemPerSecond, storage, strategies  # noqa: PLC0415 - may be absent

    limiter = strategies.MovingWindowRateLimiter(storage.RedisStorage(url))
    item = RateLimitItemPerSecond(100, 1)
    return lambda: limiter.hit(item, "bench")


def together(make: Callable[[str], Ask], url: str, *, bursts: bool) -> Worked:
    """Let processes ask side by side; moments by the machine's clock, once the answer is in."""
    start, before = _FORK.Barrier(PROCESSES), script_calls(url)
    pipes = [_FORK.Pipe(duplex=False) for _ in range(PROCESSES)]
    work = functools.partial(_work, make, url, bursts=bursts)
    workers = [_FORK.Process(target=work, args=(sending, start)) for _, sending in pipes]
    for worker in workers:
        worker.start()
    found: list[tuple[list[float], list[float]]] = [receiving.recv() for receiving, _ in pipes]
    for worker in workers:
        worker.join()
    moments = sorted(moment for granted, _ in found for moment in granted)
    return moments, [w for _, waits in found for w in waits], script_calls(url) - before


def _work(
    make: Callable[[str], Ask], url: str, sending: Connection, start: Barrier, *, bursts: bool
) -> None:
    ask = make(url)
    granted: list[float] = []
    waits: list[float] = []
    start.wait()
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        if bursts and EDGE_S < time.time() % 1.0 < 1.0 - EDGE_S:
            time.sleep(0.002)
            continue
        began = time.monotonic()
        if ask():
            granted.append(time.monotonic())
            waits.append(granted[-1] - began)
    sending.send((granted, waits))


def worst(moments: list[float]) -> int:
    first = most = 0
    for last, moment in enumerate(moments):
        # The answers' own way back is not the limiter's: 5 ms of it are forgiven.
        while moments[first] <= moment - 0.995:
            first += 1
        most = max(most, last - first + 1)
    return most


def script_calls(url: str) -> int:
    with redis.Redis.from_url(url) as raw:
        stats: Any = raw.info("commandstats")
        return int(stats.get("cmdstat_evalsha", {}).get("calls", 0))


def server_us(url: str, doing: Ask, calls: int = 3000) -> float:
    with redis.Redis.from_url(url) as raw:
        raw.config_resetstat()
        for _ in range(calls):
            doing()
        stats: Any = raw.info("commandstats")
        return float(stats["cmdstat_evalsha"]["usec_per_call"])
