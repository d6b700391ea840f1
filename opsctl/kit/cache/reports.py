"""What each process tells of its cache, for the terminal to add up."""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from opsctl.kit.cache.layers import Layers
from opsctl.kit.cache.steps import Steps

if TYPE_CHECKING:
    from opsctl.systems.redis.target import Command

KEPT_S = 3600.0
"""Reports of processes that are gone are shown for this long."""


@dataclass(frozen=True, slots=True)
class Process:
    """One process's own word about itself."""

    service: str
    host: str
    pid: int
    backend: str
    at: float
    """Seconds of the server's clock."""
    figures: Mapping[str, int]
    ended: bool = False

    @property
    def hits(self) -> int:
        return self.figures.get("l1_hits", 0) + self.figures.get("l2_hits", 0)

    @property
    def asked(self) -> int:
        return self.hits + self.figures.get("misses", 0)


def publish(layers: Layers, service: str, *, ended: bool = False) -> Steps[None]:
    """Write our figures where the terminal finds them, and remove those of the long gone."""
    name = layers.names.reports
    clock, told = yield from layers.ask([("TIME",), ("HGETALL", name)])
    now = seconds_in(clock)
    report = {
        "service": service,
        "host": os.uname().nodename,
        "pid": os.getpid(),
        "backend": layers.backend.value,
        "at": now,
        "figures": layers.snapshot(),
        "ended": ended,
    }
    old = [field for field, process in parse_reports(told).items() if _gone(process, now)]
    commands: list[Command] = [
        ("HSET", name, layers.origin, json.dumps(report)),
        ("PEXPIRE", name, round(KEPT_S * 1000)),
    ]
    if old:
        commands.append(("HDEL", name, *old))
    yield from layers.ask(commands)


def seconds_in(clock: Sequence[bytes]) -> float:
    """Read TIME whole: within one second, what was said before a question is no answer to it."""
    seconds, microseconds = clock
    return int(seconds) + int(microseconds) / 1_000_000


def parse_reports(told: list[bytes]) -> dict[bytes, Process | None]:
    """Read HGETALL; None is what nobody can read, and goes with the old ones."""
    return {field: _process(raw) for field, raw in zip(told[::2], told[1::2], strict=True)}


def _process(raw: bytes) -> Process | None:
    try:
        return Process(**json.loads(raw))
    except (ValueError, TypeError):
        return None


def _gone(process: Process | None, now: float) -> bool:
    return process is None or now - process.at > KEPT_S
