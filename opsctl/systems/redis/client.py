"""Redis: commands that answer within a deadline, and connections that may only read."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from redis import connection, exceptions

from opsctl.errors import OpsctlError
from opsctl.systems.clock import Clock
from opsctl.systems.redis.access import Access
from opsctl.systems.redis.connections import Guard, kind_of, options_for
from opsctl.systems.redis.errors import DRIVER_ERRORS, translate
from opsctl.systems.redis.pool import unfold
from opsctl.systems.redis.target import Command, RedisLimits, RedisTarget, Word

__all__ = ["Redis", "RedisFacts", "RedisLimits", "RedisPy", "RedisTarget", "Word", "parse_info"]

# redis-py ships this without types.
_Pool: Any = connection.BlockingConnectionPool


@dataclass(frozen=True, slots=True)
class RedisFacts:
    version: str
    role: str
    """master or slave, in the server's word."""
    now: datetime


class Redis(Protocol):
    @property
    def address(self) -> str: ...

    def ping(self) -> None: ...

    def info(self, section: str) -> Mapping[str, str]:
        """Read one section of INFO, every value as the server writes it."""
        ...

    def facts(self) -> RedisFacts: ...

    def get(self, key: str) -> bytes | None: ...

    def set(self, key: str, value: bytes, *, ttl_s: float | None = None) -> None: ...

    def delete(self, *keys: str) -> int:
        """Delete keys; count those that were there."""
        ...

    def call(self, *words: Word) -> Any:  # noqa: ANN401  # as many shapes as Redis has commands
        """Send one command as it is; answer as RESP2 has it, strings as bytes."""
        ...

    def batch(self, commands: Sequence[Command], *, atomic: bool = False) -> list[Any]:
        """Send many commands in one round trip; a refused one yields an OpsctlError."""
        ...

    def close(self) -> None: ...


class RedisPy:
    """A few connections to one index, made when first needed."""

    def __init__(
        self,
        target: RedisTarget,
        *,
        purpose: str,
        clock: Clock,
        limits: RedisLimits | None = None,
        access: Access = Access.FULL,
    ) -> None:
        limits = limits or RedisLimits()
        self._target = target
        self._limit_s = limits.answer_s
        self._pool = _Pool(
            max_connections=limits.connections,
            timeout=limits.answer_s,
            connection_class=kind_of(target),
            **options_for(target, purpose=purpose, limit_s=limits.answer_s),
            command_packer=Guard(target, access),
            clock=clock,
        )

    def __repr__(self) -> str:
        return f"RedisPy({self.address!r})"

    @property
    def address(self) -> str:
        return self._target.address

    def ping(self) -> None:
        self.call("PING")

    def info(self, section: str) -> Mapping[str, str]:
        return parse_info(self.call("INFO", section).decode())

    def facts(self) -> RedisFacts:
        version = self.info("server")["redis_version"]
        seconds, micros = self.call("TIME")
        now = datetime.fromtimestamp(int(seconds), UTC).replace(microsecond=int(micros))
        return RedisFacts(version=version, role=self.info("replication")["role"], now=now)

    def get(self, key: str) -> bytes | None:
        value: bytes | None = self.call("GET", key)
        return value

    def set(self, key: str, value: bytes, *, ttl_s: float | None = None) -> None:
        life = () if ttl_s is None else ("PX", max(1, round(ttl_s * 1000)))
        self.call("SET", key, value, *life)

    def delete(self, *keys: str) -> int:
        return int(self.call("UNLINK", *keys)) if keys else 0

    def call(self, *words: Word) -> Any:  # noqa: ANN401  # as many shapes as Redis has commands
        with self._translated(), self._connection() as connected:
            connected.send_command(*words)
            return connected.read_response()

    def batch(self, commands: Sequence[Command], *, atomic: bool = False) -> list[Any]:
        if not commands:
            return []
        sent = [("MULTI",), *commands, ("EXEC",)] if atomic else commands
        with self._translated(), self._connection() as connected:
            connected.send_packed_command(connected.pack_commands(sent))
            # All answers are read before one is judged: the connection is used again.
            replies = [self._reply(connected) for _ in sent]
        return unfold(replies, self._ours) if atomic else replies

    def close(self) -> None:
        self._pool.disconnect()

    @contextlib.contextmanager
    def _connection(self) -> Iterator[Any]:
        connected = self._pool.get_connection()
        try:
            yield connected
        finally:
            self._pool.release(connected)

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except DRIVER_ERRORS as error:
            secret = self._target.password
            raise self._ours(error) from (None if secret and secret in str(error) else error)

    def _reply(self, connected: Any) -> Any:  # noqa: ANN401  # redis-py ships it without types
        try:
            return connected.read_response()
        except exceptions.ResponseError as error:
            return self._ours(error)

    def _ours(self, error: Exception) -> OpsctlError:
        secret = self._target.password
        return translate(error, self.address, limit_s=self._limit_s, secret=secret)


def parse_info(text: str) -> Mapping[str, str]:
    lines = (line.partition(":") for line in text.splitlines() if not line.startswith("#"))
    return {key: value for key, colon, value in lines if colon}
