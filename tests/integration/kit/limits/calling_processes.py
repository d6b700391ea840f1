"""Processes that share one limit, and the moments at which each of them was let through."""

import multiprocessing
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier
from typing import Any

from opsctl.kit import LimitedError, LimitPolicies, Rate, RateLimiter, RedisClient
from opsctl.systems.clock import SystemClock
from opsctl.systems.redis.client import RedisLimits

_FORK = multiprocessing.get_context("fork")
_MICROS = 1_000_000


@dataclass(frozen=True, slots=True)
class Orders:
    """What one caller does."""

    url: str
    rate: Rate
    seconds: float
    policies: LimitPolicies
    waits: bool = False
    bursts: bool = False
    """Call only around the whole seconds, where counters start anew."""
    skew_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Report:
    """Moments in seconds of this machine's clock; Redis says its own, from the same clock."""

    by_redis: list[float] = field(default_factory=list)
    by_share: list[float] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)
    calls: int = 0

    @property
    def granted(self) -> list[float]:
        return [*self.by_redis, *self.by_share]


@dataclass(frozen=True, slots=True)
class Progress:
    """What all callers together were granted so far, and whether that is enough."""

    by_redis: Any = field(default_factory=lambda: _FORK.Value("i", 0))
    by_share: Any = field(default_factory=lambda: _FORK.Value("i", 0))
    enough: Any = field(default_factory=_FORK.Event)

    @property
    def granted(self) -> int:
        return int(self.by_redis.value + self.by_share.value)


class SkewedClock(SystemClock):
    """Set wrong: no decision may depend on it."""

    def __init__(self, skew_s: float) -> None:
        self._skew_s = skew_s
        self._read_at = 0.0

    def steady(self) -> float:
        self._read_at = super().steady()
        return self._read_at + self._skew_s

    def decided_at(self) -> float:
        """Say, as the wall has it, when it was last read: whoever decides by it reads it then."""
        return time.time() - (super().steady() - self._read_at)


class Recorder(RedisClient):
    """Keeps the moments that the server granted."""

    clock: SkewedClock

    def __init__(self, *args: Any, window_s: float, **options: Any) -> None:
        super().__init__(*args, **options)
        self.window_s = window_s
        self.moments: list[float] = []
        self.calls_made = 0

    def run(self, *args: Any) -> Any:
        self.calls_made += 1
        reply = super().run(*args)
        if reply[0]:
            self.moments.append(reply[3] / _MICROS - self.window_s)
        return reply


def call_together(
    orders: Sequence[Orders], between: Callable[[Progress], None] | None = None
) -> list[Report]:
    """Let each caller do as it is told, all at once; `between` goes on meanwhile, and may end."""
    progress = Progress()
    pipes = [_FORK.Pipe(duplex=False) for _ in orders]
    together = _FORK.Barrier(len(orders))
    processes = [
        _FORK.Process(target=_report, args=(each, sending, together, progress))
        for each, (_, sending) in zip(orders, pipes, strict=True)
    ]
    for process in processes:
        process.start()
    if between is not None:
        between(progress)
    reports = [receiving.recv() for receiving, _ in pipes]
    for process in processes:
        process.join()
    return reports


def worst_window(moments: Sequence[float], window_s: float) -> int:
    """Count the most moments that any half-open window holds; microseconds, as Redis counts."""
    ordered = sorted(round(moment * _MICROS) for moment in moments)
    window, first, worst = round(window_s * _MICROS), 0, 0
    for last, moment in enumerate(ordered):
        while ordered[first] <= moment - window:
            first += 1
        worst = max(worst, last - first + 1)
    return worst


def _report(orders: Orders, sending: Connection, together: Barrier, progress: Progress) -> None:
    clock = SkewedClock(orders.skew_s)
    limits = RedisLimits(0.5, 2)
    with Recorder(
        orders.url, service="caller", limits=limits, clock=clock, window_s=orders.rate.window_s
    ) as client:
        limiter = RateLimiter(client, "test", policies=orders.policies)
        client.call("PING", limit_s=30)
        together.wait(60)
        report = _call(orders, client, limiter, progress)
    sending.send(report)


def _call(orders: Orders, client: Recorder, limiter: RateLimiter, progress: Progress) -> Report:
    by_share: list[float] = []
    waits: list[float] = []
    end = time.monotonic() + orders.seconds
    while time.monotonic() < end and not progress.enough.is_set():
        if orders.bursts and 0.1 < time.time() % 1.0 < 0.9:
            client.clock.sleep(0.005)
            continue
        known, began = len(client.moments), time.monotonic()
        allowed = _ask(orders, limiter)
        is_share = allowed and len(client.moments) == known
        if is_share:
            by_share.append(client.clock.decided_at())
        counter = progress.by_share if is_share else progress.by_redis
        with counter.get_lock():
            counter.value += allowed
        if allowed:
            waits.append(time.monotonic() - began)
        elif not orders.waits:
            client.clock.sleep(0.002)
    return Report(client.moments, by_share, waits, client.calls_made)


def _ask(orders: Orders, limiter: RateLimiter) -> bool:
    if not orders.waits:
        return limiter.allow(orders.rate).allowed
    try:
        return limiter.wait(orders.rate, max_wait=5.0).allowed
    except LimitedError:
        return False
