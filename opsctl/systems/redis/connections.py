"""Connections to Redis with one deadline per exchange and a list of allowed commands."""

import contextlib
import socket
from typing import Any

from redis import connection, exceptions
from redis.backoff import NoBackoff
from redis.retry import Retry

from opsctl.errors import OpsctlError, RefusedError
from opsctl.systems.clock import Clock
from opsctl.systems.deadline import Deadline
from opsctl.systems.network.sockets import dial
from opsctl.systems.redis.access import Access, allowed
from opsctl.systems.redis.target import RedisTarget

# redis-py ships these without types.
_Connection: Any = connection.AbstractConnection
_wrap: Any = connection.SSLConnection._wrap_socket_with_ssl  # noqa: SLF001  # our subclass dials


class Guard(connection.HiredisRespSerializer):
    """Checks each command where it is encoded: the handshake and pipelines pass here too."""

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


def options_for(target: RedisTarget, *, purpose: str, limit_s: float) -> dict[str, Any]:
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
    }
    if target.socket_path:
        return options | {"path": target.socket_path}
    options |= {"host": target.host, "port": target.port}
    return options | ({"ssl_ca_certs": target.ca_file or None} if target.tls else {})


def kind_of(target: RedisTarget) -> type[Any]:
    if target.socket_path:
        return _BoundedUnix
    return _BoundedTls if target.tls else _BoundedTcp


class _Bounded(_Connection):  # type: ignore[misc]  # redis-py ships it without types
    """A connection that has one deadline from `connect`, which comes before each command."""

    client_name: Any

    def __init__(self, *, clock: Clock, **options: Any) -> None:  # noqa: ANN401  # as the driver has it
        self._clock = clock
        self._limit_s = float(options["socket_timeout"])
        self._deadline = Deadline.after(clock, self._limit_s)
        super().__init__(**options)

    def connect(self) -> None:
        self.begin(self._limit_s)

    def begin(self, limit_s: float) -> None:
        """Start one exchange with its own deadline; connect if there is no connection."""
        self._deadline = Deadline.after(self._clock, limit_s)
        if not self.is_connected:
            super().connect()

    def on_connect_check_health(self, *args: Any, **options: Any) -> None:  # noqa: ANN401  # as the driver has it
        """Say our name last, and go on without one where the user may not have any."""
        name, self.client_name = self.client_name, None
        try:
            super().on_connect_check_health(*args, **options)
        finally:
            self.client_name = name
        self.send_command("CLIENT", "SETNAME", name, check_health=False)
        with contextlib.suppress(exceptions.NoPermissionError):
            self.read_response()

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
