"""A guard of engines in memory: it refuses what it is told to, and remembers what was allowed."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from opsctl.systems.engine.guarded_engine import AllowedCalls, EngineCall


@dataclass
class MemoryGuard:
    address: str = "unix:///guarded"
    refused: tuple[EngineCall, ...] = ()
    allowed: list[AllowedCalls] = field(default_factory=list)

    @contextmanager
    def guard(self, engine: str, allowed: AllowedCalls) -> Iterator["MemoryGuard"]:
        del engine
        self.allowed.append(allowed)
        yield self
