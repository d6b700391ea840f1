"""What a part of the kit asks for, as values: a thread or an event loop carries them out.

An operation is a generator that yields effects and receives their results, so that its logic
neither blocks nor awaits.
"""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from opsctl.errors import OpsctlError
from opsctl.systems.redis.target import Command, RedisScript, Word

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class SendCommands:
    """Send commands to Redis in one round trip."""

    commands: Sequence[Command]


@dataclass(frozen=True, slots=True)
class RunScript:
    """Run a script in Redis."""

    script: RedisScript
    keys: Sequence[str]
    args: Sequence[Word] = ()


@dataclass(frozen=True, slots=True)
class WaitForChange:
    """Wait until the key changes, at most this long."""

    seconds: float


@dataclass(frozen=True, slots=True)
class CallFactory:
    """Call the function that computes the value."""


Effect = SendCommands | RunScript | WaitForChange | CallFactory
Effects = Generator[Effect, Any, T]


def send_commands(commands: Sequence[Command]) -> Effects[list[Any]]:
    """Send commands in one round trip and raise the first error among the replies."""
    replies = yield SendCommands(commands)
    for reply in replies:
        if isinstance(reply, OpsctlError):
            raise reply
    return list(replies)
