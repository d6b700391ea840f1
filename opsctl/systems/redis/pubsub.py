"""Redis subscriptions: a connection of their own, and a check that the server still answers."""

import contextlib
import socket
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from opsctl.errors import UnreachableError
from opsctl.systems.redis.target import Command


@dataclass(frozen=True, slots=True)
class Topics:
    """What to listen to."""

    channels: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()

    @property
    def purpose(self) -> str:
        """Name the connection so that others can read what it listens to: CLIENT LIST cannot."""
        listed = [f"sub={name}" for name in self.channels] + [f"psub={p}" for p in self.patterns]
        # Redis takes no spaces or control characters in a name.
        return "".join(letter for letter in ",".join(listed) if "!" <= letter <= "~")[:200]

    @property
    def commands(self) -> Sequence[Command]:
        both = (("SUBSCRIBE", self.channels), ("PSUBSCRIBE", self.patterns))
        return [(verb, *names) for verb, names in both if names]

    def __len__(self) -> int:
        return len(self.channels) + len(self.patterns)


@dataclass(frozen=True, slots=True)
class PubSubMessage:
    channel: str
    data: bytes
    pattern: str | None = None
    """The subscribed pattern through which it came; None for a channel subscribed by name."""


class Subscription(Protocol):
    def receive(self, wait_s: float) -> PubSubMessage | None:
        """Wait for one message; None on timeout, UnreachableError if the connection is dead."""
        ...

    def interrupt(self) -> None:
        """Make a `receive` in another thread fail now."""
        ...

    def close(self) -> None: ...


class RedisPySubscription:
    """Subscribed once it exists: every acknowledgement has been read."""

    def __init__(
        self,
        connected: Any,  # noqa: ANN401  # redis-py ships it without types
        topics: Topics,
        translated: Callable[[], AbstractContextManager[None]],
    ) -> None:
        self._connected = connected
        self._translated = translated
        self._asked_at: float | None = None
        self._early: list[PubSubMessage] = []
        connected.send_packed_command(connected.pack_commands(topics.commands))
        acknowledged = 0
        while acknowledged < len(topics):
            message = read_message(connected.read_response())
            if message is None:
                acknowledged += 1
            else:
                self._early.append(message)

    def receive(self, wait_s: float) -> PubSubMessage | None:
        if self._early:
            return self._early.pop(0)
        with self._translated():
            if not self._connected.can_read(wait_s):
                self._ask_if_alive()
                return None
            self._asked_at = None
            # A message comes whole; one that stops half-way means a dead line.
            self._connected.begin(self._connected.socket_timeout)
            return read_message(self._connected.read_response())

    def interrupt(self) -> None:
        opened = self._connected._sock  # noqa: SLF001  # the driver has no word for it
        if opened is not None:
            with contextlib.suppress(OSError):
                opened.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._connected.disconnect()

    def _ask_if_alive(self) -> None:
        """A connection is dead when its answer is late, not when a short wait brought none."""
        now = time.monotonic()
        if self._asked_at is None:
            self._asked_at = now
            self._connected.send_command("PING")
        elif now - self._asked_at >= self._connected.socket_timeout:
            raise silent()


def silent() -> UnreachableError:
    return UnreachableError("a subscription to Redis is dead", why="not even PING was answered")


def read_message(reply: Sequence[Any]) -> PubSubMessage | None:
    """Read one RESP2 frame; acknowledgements and pongs are no messages."""
    if reply[0] == b"message":
        return PubSubMessage(reply[1].decode(errors="replace"), reply[2])
    if reply[0] == b"pmessage":
        pattern = reply[1].decode(errors="replace")
        return PubSubMessage(reply[2].decode(errors="replace"), reply[3], pattern)
    return None
