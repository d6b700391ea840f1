"""Redis: commands that answer within a deadline, and connections that may only read."""

import contextlib
import socket
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol, Self

from redis import connection, exceptions
from redis.backoff import NoBackoff
from redis.retry import Retry

from opsctl.errors import OpsctlError, RefusedError, SettingsError
from opsctl.systems.clock import Clock
from opsctl.systems.network import Deadline, dial
from opsctl.systems.redis_commands import Access, allowed
from opsctl.systems.redis_errors import DRIVER_ERRORS, translate

Word = str | bytes | int | float

# redis-py ships these without types.
_parse_url: Any = connection.parse_url
_Pool: Any = connection.BlockingConnectionPool
_Connection: Any = connection.AbstractConnection
_wrap: Any = connection.SSLConnection._wrap_socket_with_ssl  # noqa: SLF001  # our subclass dials


@dataclass(frozen=True, slots=True)
class RedisLimits:
    answer_s: float = 2.0
    """For one command as a whole: connecting, TLS and password included."""
    connections: int = 4


@dataclass(frozen=True, slots=True)
class RedisTarget:
    """One index of one server."""

    host: str = "127.0.0.1"
    port: int = 6379
    db: int = 0
    username: str = ""
    password: str = field(default="", repr=False)
    tls: bool = False
    ca_file: str = ""
    """Who to trust besides the machine's own list, for a server with a private certificate."""
    socket_path: str = ""

    @classmethod
    def parse(cls, url: str) -> Self:
        """Read redis://, rediss:// or unix://; what does not parse is not shown."""
        try:
            found: Mapping[str, Any] = _parse_url(url)
        except ValueError:
            raise SettingsError(
                "the address of Redis cannot be read",
                why="it is no Redis URL",
                hint="Write redis://user:password@host:6379/0, special characters as %40.",
            ) from None
        return cls(
            host=found.get("host", "127.0.0.1"),
            port=found.get("port", 6379),
            db=found.get("db", 0),
            username=found.get("username", ""),
            password=found.get("password", ""),
            tls=url.lower().startswith("rediss:"),
            ca_file=found.get("ssl_ca_certs", ""),
            socket_path=found.get("path", ""),
        )

    @property
    def address(self) -> str:
        """Say host:port/index; never the password."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.socket_path or f'{host}:{self.port}'}/{self.db}"


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

    def batch(self, commands: Sequence[Sequence[Word]], *, atomic: bool = False) -> list[Any]:
        """Send many in one trip; a refused one answers with its error, or fails all if atomic."""
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
            connection_class=connection_kind(target),
            **connection_options(target, purpose=purpose, limit_s=limits.answer_s, access=access),
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

    def batch(self, commands: Sequence[Sequence[Word]], *, atomic: bool = False) -> list[Any]:
        if not commands:
            return []
        sent = [("MULTI",), *commands, ("EXEC",)] if atomic else commands
        with self._translated(), self._connection() as connected:
            connected.send_packed_command(connected.pack_commands(sent))
            # All answers are read before one is judged: the connection is used again.
            answers = [_answer(connected) for _ in sent]
            return _of_transaction(answers) if atomic else [self._ours(one) for one in answers]

    def _ours(self, answer: Any) -> Any:  # noqa: ANN401  # as many shapes as Redis has commands
        """Hand on an answer; a refusal becomes an error of ours, not raised."""
        if not isinstance(answer, DRIVER_ERRORS):
            return answer
        secret = self._target.password
        return translate(answer, self.address, limit_s=self._limit_s, secret=secret)

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
        secret = self._target.password
        try:
            yield
        except DRIVER_ERRORS as error:
            ours = translate(error, self.address, limit_s=self._limit_s, secret=secret)
            raise ours from (None if secret and secret in str(error) else error)


def parse_info(text: str) -> Mapping[str, str]:
    lines = (line.partition(":") for line in text.splitlines() if not line.startswith("#"))
    return {key: value for key, colon, value in lines if colon}


class _Guard(connection.HiredisRespSerializer):
    """Stands where every command becomes bytes: the handshake and pipelines pass here too."""

    def __init__(self, target: RedisTarget, access: Access) -> None:
        self._target = target
        self._access = access

    def pack(self, *args: Any) -> Any:  # noqa: ANN401  # as the driver has it
        words = tuple(str(args[0]).split()) + tuple(_text(word) for word in args[1:2])
        if not allowed(words, self._access, index=self._target.db):
            raise RefusedError(
                f"{' '.join(words[:1]).upper()} is not allowed on {self._target.address}",
                why=f"this connection is for {self._access.value}",
                hint="Use an index that experiments may write to.",
            )
        return super().pack(*args)


def _text(word: object) -> str:
    return word.decode(errors="replace") if isinstance(word, bytes) else str(word)


def _answer(connected: Any) -> Any:  # noqa: ANN401  # the driver has no types
    try:
        return connected.read_response()
    except exceptions.ResponseError as error:
        return error


def _of_transaction(answers: Sequence[Any]) -> list[Any]:
    results = answers[-1] if isinstance(answers[-1], list) else []
    for answer in (*answers, *results):
        if isinstance(answer, DRIVER_ERRORS):
            raise answer
    return list(results)


def connection_options(
    target: RedisTarget, *, purpose: str, limit_s: float, access: Access
) -> dict[str, Any]:
    """Say how the driver is to open a connection: deadlines, login, guard, and no retries."""
    options: dict[str, Any] = {
        "db": target.db,
        "username": target.username or None,
        "password": target.password or None,
        "client_name": f"opsctl:{purpose}",
        "protocol": 2,
        "retry": Retry(NoBackoff(), 0),
        "socket_timeout": limit_s,
        "socket_connect_timeout": limit_s,
        # CLIENT SETINFO would cost two round trips, and the name says enough.
        "driver_info": None,
        "command_packer": _Guard(target, access),
    }
    if target.socket_path:
        return options | {"path": target.socket_path}
    options |= {"host": target.host, "port": target.port}
    return options | ({"ssl_ca_certs": target.ca_file or None} if target.tls else {})


def connection_kind(target: RedisTarget) -> type[Any]:
    if target.socket_path:
        return _BoundedUnix
    return _BoundedTls if target.tls else _BoundedTcp


class _Bounded(_Connection):  # type: ignore[misc]  # redis-py ships it without types
    """A connection that has one deadline from `connect`, which comes before each command."""

    def __init__(self, *, clock: Clock, **options: Any) -> None:  # noqa: ANN401  # as the driver has it
        self._clock = clock
        self._limit_s = float(options["socket_timeout"])
        self._deadline = Deadline.after(clock, self._limit_s)
        super().__init__(**options)

    def connect(self) -> None:
        self._deadline = Deadline.after(self._clock, self._limit_s)
        super().connect()

    def read_response(self, *args: Any, **options: Any) -> Any:  # noqa: ANN401  # as the driver has it
        return super().read_response(*args, **{"timeout": self._deadline.left_s()} | options)


class _BoundedUnix(_Bounded, connection.UnixDomainSocketConnection):
    pass


class _BoundedTcp(_Bounded, connection.Connection):
    def _connect(self) -> socket.socket:
        opened = dial(self.host, self.port, deadline=self._deadline)
        opened.settimeout(self._limit_s)
        return opened


class _BoundedTls(_Bounded, connection.SSLConnection):
    def _connect(self) -> socket.socket:
        opened = dial(self.host, self.port, deadline=self._deadline)
        opened.settimeout(self._deadline.left_s())
        try:
            wrapped: socket.socket = _wrap(self, opened)
        except (OSError, OpsctlError):
            opened.close()
            raise
        wrapped.settimeout(self._limit_s)
        return wrapped
