"""What each process reports about its cache, for `opsctl cache stats` to add up."""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from opsctl.kit.cache.state import CacheState
from opsctl.kit.redis.effects import Effects

if TYPE_CHECKING:
    from opsctl.systems.redis.target import Command

KEPT_S = 3600.0
"""How long the reports of processes that are gone are kept."""


@dataclass(frozen=True, slots=True)
class ProcessReport:
    """What one process reports about itself."""

    service: str
    host: str
    pid: int
    backend: str
    at: float
    """Seconds on the server's clock."""
    figures: Mapping[str, int]
    ended: bool = False

    @property
    def hits(self) -> int:
        return self.figures.get("l1_hits", 0) + self.figures.get("l2_hits", 0)

    @property
    def lookups(self) -> int:
        return self.hits + self.figures.get("misses", 0)


def publish_report(state: CacheState, service: str, *, ended: bool = False) -> Effects[None]:
    """Store our figures for the terminal, and delete those of processes that are long gone."""
    name = state.keys.reports
    clock, hash_reply = yield from state.send([("TIME",), ("HGETALL", name)])
    now = server_seconds(clock)
    report = {
        "service": service,
        "host": os.uname().nodename,
        "pid": os.getpid(),
        "backend": state.backend.value,
        "at": now,
        "figures": state.collect_figures(),
        "ended": ended,
    }
    reports = parse_reports(hash_reply)
    expired = [field for field, old in reports.items() if _has_expired(old, now)]
    commands: list[Command] = [
        ("HSET", name, state.origin, json.dumps(report)),
        ("PEXPIRE", name, round(KEPT_S * 1000)),
    ]
    if expired:
        commands.append(("HDEL", name, *expired))
    yield from state.send(commands)


def server_seconds(clock: Sequence[bytes]) -> float:
    """Read TIME with its microseconds: a report of the same second may be older than a request."""
    seconds, microseconds = clock
    return int(seconds) + int(microseconds) / 1_000_000


def parse_reports(hash_reply: list[bytes]) -> dict[bytes, ProcessReport | None]:
    """Parse the reply of HGETALL; unreadable reports are None, and deleted with the old ones."""
    pairs = zip(hash_reply[::2], hash_reply[1::2], strict=True)
    return {field: _parse_report(raw) for field, raw in pairs}


def _parse_report(raw: bytes) -> ProcessReport | None:
    try:
        return ProcessReport(**json.loads(raw))
    except (ValueError, TypeError):
        return None


def _has_expired(report: ProcessReport | None, now: float) -> bool:
    return report is None or now - report.at > KEPT_S
