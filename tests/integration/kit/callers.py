"""Processes that share one limit, and the moments at which each of them was let through."""

import multiprocessing
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier
from typing import Any

from opsctl.kit import Client, LimitedError, Policies, Rate, RateLimiter
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
    policies: Policies
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


class SkewedClock(SystemClock):
    """Set wrong: nothing that is decided may depend on it."""

    def __init__(self, skew_s: float) -> None:
        self._skew_s = skew_s

    def steady(self) -> float:
        return super().steady() + self._skew_s


class Recorder(Client):
    """Keeps the moments that the server granted."""

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


def call_together(orders: Sequence[Orders], between: Any = None) -> list[Report]:
    """Let each caller do as it is told, all at once; `between` happens meanwhile."""
    pipes = [_FORK.Pipe(duplex=False) for _ in orders]
    together = _FORK.Barrier(len(orders))
    processes = [
        _FORK.Process(target=_report, args=(each, sending, together))
        for each, (_, sending) in zip(orders, pipes, strict=True)
    ]
    for process in processes:
        process.start()
    if between is not None:
        between()
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


def _report(orders: Orders, sending: Connection, together: Barrier) -> None:
    clock = SkewedClock(orders.skew_s)
    limits = RedisLimits(0.5, 2)
    with Recorder(
        orders.url, service="caller", limits=limits, clock=clock, window_s=orders.rate.window_s
    ) as client:
        limiter = RateLimiter(client, "test", policies=orders.policies)
        client.call("PING")
        together.wait(30)
        report = _call(orders, client, limiter)
    sending.send(report)


def _call(orders: Orders, client: Recorder, limiter: RateLimiter) -> Report:
    by_share: list[float] = []
    waits: list[float] = []
    end = time.monotonic() + orders.seconds
    while time.monotonic() < end:
        if orders.bursts and 0.1 < time.time() % 1.0 < 0.9:
            client.clock.sleep(0.005)
            continue
        known, began = len(client.moments), time.monotonic()
        allowed = _ask(orders, limiter)
        if allowed and len(client.moments) == known:
            by_share.append(time.time())
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
