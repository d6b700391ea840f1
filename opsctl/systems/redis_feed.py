"""A subscriber to Redis channels: what arrived, and whether anything may have been missed."""

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from redis import exceptions

from opsctl.systems.clock import Clock
from opsctl.systems.redis import RedisLimits, RedisTarget, connection_kind, connection_options
from opsctl.systems.redis_commands import Access
from opsctl.systems.redis_errors import DRIVER_ERRORS, translate


@dataclass(frozen=True, slots=True)
class Heard:
    channel: str
    pattern: str
    """What it was heard by; empty for a literal subscription."""
    payload: bytes


class Feed(Protocol):
    """One connection that listens. It never reconnects by itself: a gap is an error to be told."""

    def open(self, channels: Sequence[str], patterns: Sequence[str]) -> None:
        """Connect and subscribe; return when the server has confirmed all."""
        ...

    def read(self, wait_s: float) -> Heard | None:
        """Take the next message, or None when the wait is over."""
        ...

    def close(self) -> None: ...


class RedisFeed:
    def __init__(
        self,
        target: RedisTarget,
        *,
        purpose: str,
        clock: Clock,
        limits: RedisLimits | None = None,
        access: Access = Access.FULL,
    ) -> None:
        self._target = target
        self._limit_s = (limits or RedisLimits()).answer_s
        options = connection_options(target, purpose=purpose, limit_s=self._limit_s, access=access)
        self._connection: Any = connection_kind(target)(**options, clock=clock)

    def open(self, channels: Sequence[str], patterns: Sequence[str]) -> None:
        with self._translated():
            self._connection.connect()
            if channels:
                self._connection.send_command("SUBSCRIBE", *channels)
            if patterns:
                self._connection.send_command("PSUBSCRIBE", *patterns)
            for _ in (*channels, *patterns):
                self._connection.read_response()

    def read(self, wait_s: float) -> Heard | None:
        with self._translated():
            try:
                answer = self._connection.read_response(timeout=wait_s, disconnect_on_error=False)
            except exceptions.TimeoutError:
                return None
        return _heard(answer)

    def close(self) -> None:
        self._connection.disconnect()

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        secret = self._target.password
        try:
            yield
        except DRIVER_ERRORS as error:
            self.close()
            address = self._target.address
            ours = translate(error, address, limit_s=self._limit_s, secret=secret)
            raise ours from (None if secret and secret in str(error) else error)


def _heard(answer: Sequence[bytes]) -> Heard | None:
    kind, *rest = answer
    names = [_text(word) for word in rest[:-1]]
    if kind == b"message":
        return Heard(names[0], "", rest[-1])
    if kind == b"pmessage":
        return Heard(names[1], names[0], rest[-1])
    return None


def _text(word: bytes) -> str:
    return word.decode(errors="surrogateescape")
