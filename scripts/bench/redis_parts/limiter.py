"""The limiter beside its peers: a call's price, the worst true window, and who waits how long."""

import functools
import multiprocessing
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier
from typing import Any

import redis
from redis_parts.figure import Figure, NoPeer, fastest_us

from opsctl.kit import LimitPolicies, Rate, RateLimiter, RedisClient

PROCESSES = 8
SECONDS = 4.0
# Bursts come this close around the whole seconds, where counters start anew.
EDGE_S = 0.1
BUSY = Rate("busy", 100, 1.0)
QUEUE = Rate("queue", 5, 1.0)
TRUSTING = LimitPolicies("closed", after_restart="trust")
_FORK = multiprocessing.get_context("fork")
Ask = Callable[[], bool]
Make = Callable[[str], Ask]


@dataclass
class Worked:
    granted: list[float]
    """By the server's clock; only our own limiter tells."""
    seen: list[float] = field(default_factory=list)
    """By this machine's clock, once the answer is in: its way back is not the limiter's."""
    waits: list[float] = field(default_factory=list)
    calls: int = 0


def figures(url: str) -> Iterator[Figure]:
    rivals = {name: make for name, (module, make) in PEERS.items() if find_spec(module)}
    yield from prices(url, rivals)
    for bursts in (False, True):
        where = "at the boundaries" if bursts else "constant"
        found = together(Kit, url, bursts=bursts)
        said = f"worst second of 100/s, {where}"
        yield Figure(f"{said}: kit, as granted", worst(found.granted), "", goal=100.0)
        yield Figure(f"{said}: kit, as callers see it", worst(found.seen))
        for name, make in rivals.items():
            theirs = together(make, url, bursts=bursts)
            yield Figure(f"{said}: {name}, as callers see it", worst(theirs.seen))
    yield from queueing(url, rivals)
    if absent := ", ".join(PEERS.keys() - rivals.keys()):
        raise NoPeer(absent)


def prices(url: str, rivals: Mapping[str, Make]) -> Iterator[Figure]:
    asks: dict[str, Ask] = {"kit": Kit(url), **{name: make(url) for name, make in rivals.items()}}
    taken = fastest_us(asks)
    for name, us in taken.items():
        yield Figure(f"allow: {name}", us, "us")
    for name in rivals:
        goal = 1.0 if name == "limits" else None
        rate = taken[name] / taken["kit"]
        yield Figure(f"allow: rate / that of {name}", rate, "", goal=goal, better="more")
    for name, ask in asks.items():
        yield Figure(f"server time a call: {name}", server_us(url, ask), "us")


def queueing(url: str, rivals: Mapping[str, Make]) -> Iterator[Figure]:
    found = together(waiting, url, bursts=False)
    each = found.calls / len(found.granted)
    yield Figure("wait() for 5/s, 8 processes: calls a grant", each, "", goal=1.2)
    yield Figure("wait(): longest wait", max(found.waits), "s")
    yield Figure("wait(): worst second, as granted", worst(found.granted), "", goal=5.0)
    if "pyrate-limiter" in rivals:
        theirs = together(pyrate_waiting, url, bursts=False)
        each = theirs.calls / len(theirs.seen)
        yield Figure("the same, pyrate-limiter: calls a grant", each)
        yield Figure("the same, pyrate-limiter: longest wait", max(theirs.waits), "s")


class Recorder(RedisClient):
    """Keeps the moments that the server granted, by its own clock."""

    moments: list[float]

    def run(self, *args: Any) -> Any:  # noqa: ANN401 - hands on what it is given
        reply = super().run(*args)
        if reply[0]:
            self.moments.append(reply[3] / 1e6 - BUSY.window_s)
        return reply


class Kit:
    """Asks our limiter; both rates have windows of a second."""

    def __init__(self, url: str, *, waits: bool = False) -> None:
        self._client = Recorder(url, service="bench")
        self.moments = self._client.moments = []
        limiter = RateLimiter(self._client, "bench", policies=TRUSTING)
        self._ask = (
            functools.partial(limiter.wait, QUEUE, max_wait=30.0)
            if waits
            else functools.partial(limiter.allow, BUSY)
        )

    def __call__(self) -> bool:
        return self._ask().allowed


def waiting(url: str) -> Kit:
    return Kit(url, waits=True)


def limits_moving(url: str) -> Ask:
    from limits import RateLimitItemPerSecond, storage, strategies  # noqa: PLC0415 - may be absent

    limiter = strategies.MovingWindowRateLimiter(storage.RedisStorage(url))
    item = RateLimitItemPerSecond(100, 1)
    return lambda: limiter.hit(item, "bench")


def pyrate(url: str, *, limit: int = 100, waits: bool = False) -> Ask:
    """Its bucket in Redis; the window is told by the clock of each process."""
    from pyrate_limiter import Limiter, RedisBucket  # noqa: PLC0415 - same
    from pyrate_limiter import Rate as Theirs  # noqa: PLC0415 - same

    raw: Any = redis.Redis.from_url(url)
    bucket = RedisBucket.init([Theirs(limit, 1000)], raw, f"pyrate-{limit}")
    limiter = Limiter(bucket)
    return lambda: bool(limiter.try_acquire("bench", blocking=waits))


def pyrate_waiting(url: str) -> Ask:
    return pyrate(url, limit=5, waits=True)


PEERS: dict[str, tuple[str, Make]] = {
    "limits": ("limits", limits_moving),
    "pyrate-limiter": ("pyrate_limiter", pyrate),
}


def together(make: Make, url: str, *, bursts: bool) -> Worked:
    """Let processes ask side by side."""
    start, before = _FORK.Barrier(PROCESSES), script_calls(url)
    pipes = [_FORK.Pipe(duplex=False) for _ in range(PROCESSES)]
    work = functools.partial(_work, make, url, bursts=bursts)
    workers = [_FORK.Process(target=work, args=(sending, start)) for _, sending in pipes]
    for worker in workers:
        worker.start()
    found: list[Worked] = [receiving.recv() for receiving, _ in pipes]
    for worker in workers:
        worker.join()
    return Worked(
        sorted(moment for each in found for moment in each.granted),
        sorted(moment for each in found for moment in each.seen),
        [wait for each in found for wait in each.waits],
        script_calls(url) - before,
    )


def _work(make: Make, url: str, sending: Connection, start: Barrier, *, bursts: bool) -> None:
    ask = make(url)
    worked = Worked(getattr(ask, "moments", []))
    start.wait()
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        if bursts and EDGE_S < time.time() % 1.0 < 1.0 - EDGE_S:
            time.sleep(0.002)
            continue
        began = time.monotonic()
        if ask():
            worked.seen.append(time.monotonic())
            worked.waits.append(worked.seen[-1] - began)
    sending.send(worked)


def worst(moments: list[float]) -> int:
    """Count the most moments in any half-open second; to the microsecond, as Redis counts."""
    micros = [round(moment * 1e6) for moment in moments]
    first = most = 0
    for last, moment in enumerate(micros):
        while micros[first] <= moment - 1_000_000:
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
