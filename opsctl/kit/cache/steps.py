"""The cache's logic as steps, written once: a thread and an event loop each carry them out."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from opsctl.systems.redis.target import Command, Script, Word

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Ask:
    """Send commands to Redis in one trip."""

    commands: Sequence[Command]


@dataclass(frozen=True, slots=True)
class Run:
    """Run a script in Redis."""

    script: Script
    keys: Sequence[str]
    args: Sequence[Word] = ()


@dataclass(frozen=True, slots=True)
class Pause:
    """Wait until somebody says that the key changed, at most this long."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Compute:
    """Call the user's factory."""


Effect = Ask | Run | Pause | Compute
Steps = Generator[Effect, Any, T]
