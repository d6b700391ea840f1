"""Redis for services on an event loop: the calls of `pool`, to be awaited."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Any, Protocol, TypeVar

from redis import exceptions
from redis.asyncio import connection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from opsctl.errors import BusyError, OpsctlError
from opsctl.systems.redis.errors import DRIVER_ERRORS, translate
from opsctl.systems.redis.pool import unfold
from opsctl.systems.redis.pubsub import PubSubMessage, Topics, read_message, silent
from opsctl.systems.redis.target import Command, RedisLimits, RedisScript, RedisTarget, Word

T = TypeVar("T")

# redis-py ships this without types.
_Connection: Any = connection.AbstractConnection


class AsyncSubscription(Protocol):
    async def receive(self, wait_s: float) -> PubSubMessage | None:
        """Wait for one message; None on timeout, UnreachableError if the connection is dead."""
        ...

    async def close(self) -> None: ...


class AsyncRedis(Protocol):
    @property
    def address(self) -> str: ...

    async def call(self, *words: Word, limit_s: float | None = None) -> Any:  # noqa: ANN401  # as many shapes as Redis has commands
        ...

    async def calls(self, commands: Sequence[Command], *, atomic: bool = False) -> list[Any]: ...

    async def run(self, script: RedisScript, keys: Sequence[str], args: Sequence[Word] = ()) -> Any:  # noqa: ANN401  # same
        ...

    async def subscribe(self, topics: Topics) -> AsyncSubscription: ...

    async def close(self) -> None: ...


class RedisPyAsync:
    """Belongs to the event loop that uses it first; another may have it once that one is closed."""

    def __init__(self, target: RedisTarget, *, name: str, limits: RedisLimits) -> None:
        self._target = target
        self._name = name
        self._limits = limits
        self._loop: asyncio.AbstractEventLoop | None = None
        self._free: asyncio.LifoQueue[Any] = asyncio.LifoQueue()

    def __repr__(self) -> str:
        return f"RedisPyAsync({self.address!r})"

    @property
    def address(self) -> str:
        return self._target.address

    async def call(self, *words: Word, limit_s: float | None = None) -> Any:  # noqa: ANN401  # as many shapes as Redis has commands
        async def ask(connected: Any) -> Any:  # noqa: ANN401  # same
            await connected.send_command(*words)
            return await connected.read_response()

        return await self._exchange(ask, limit_s)

    async def calls(self, commands: Sequence[Command], *, atomic: bool = False) -> list[Any]:
        sent = [("MULTI",), *commands, ("EXEC",)] if atomic else commands

        async def ask(connected: Any) -> list[Any]:  # noqa: ANN401  # same
            await connected.send_packed_command(connected.pack_commands(sent))
            return [await self._reply(connected) for _ in sent]

        if not commands:
            return []
        replies = await self._exchange(ask, None)
        return unfold(replies, self._ours) if atomic else replies

    async def run(self, script: RedisScript, keys: Sequence[str], args: Sequence[Word] = ()) -> Any:  # noqa: ANN401  # same
        async def ask(connected: Any) -> Any:  # noqa: ANN401  # same
            await connected.send_command("EVALSHA", script.sha, len(keys), *keys, *args)
            try:
                return await connected.read_response()
            except exceptions.NoScriptError:
                await connected.send_command("EVAL", script.text, len(keys), *keys, *args)
                return await connected.read_response()

        return await self._exchange(ask, None)

    async def subscribe(self, topics: Topics) -> AsyncSubscription:
        connected = self._connection(topics.purpose)
        limit_s = self._limits.answer_s
        subscription = RedisPyAsyncSubscription(connected, self._translated, limit_s)
        try:
            with self._translated():
                async with asyncio.timeout(limit_s):
                    await subscription.begin(topics)
        except BaseException:
            await connected.disconnect(nowait=True)
            raise
        return subscription

    async def close(self) -> None:
        if self._loop is not asyncio.get_running_loop():
            return
        for connected in self._idle():
            await connected.disconnect()

    def _idle(self) -> Iterator[Any]:
        """Take the idle connections, and leave as many empty places."""
        for _ in range(self._free.qsize()):
            connected = self._free.get_nowait()
            if connected is not None:
                yield connected
        while self._free.qsize() < self._limits.connections:
            self._free.put_nowait(None)

    def _connection(self, purpose: str = "cmd") -> Any:  # noqa: ANN401  # redis-py ships it without types
        return _kind(self._target)(
            **_options(self._target, name=f"opsctl:{self._name}:{purpose}", limits=self._limits)
        )

    async def _exchange(self, ask: Callable[[Any], Awaitable[T]], limit_s: float | None) -> T:
        limit_s = limit_s or self._limits.answer_s
        self._bind()
        connected = await self._take(limit_s)
        try:
            with self._translated(limit_s):
                async with asyncio.timeout(limit_s):
                    await _ready(connected)
                    return await ask(connected)
        except BaseException as error:
            if not isinstance(error.__context__, exceptions.ResponseError):
                await connected.disconnect(nowait=True)
            raise
        finally:
            self._free.put_nowait(connected)

    def _bind(self) -> None:
        loop = asyncio.get_running_loop()
        if loop is self._loop:
            return
        if self._loop is not None and not self._loop.is_closed():
            raise OpsctlError(
                "an AsyncClient was used on two event loops",
                why="its connections belong to the first",
                hint="Make one AsyncClient per loop.",
            )
        self._loop = loop
        self._free = asyncio.LifoQueue()
        for _ in range(self._limits.connections):
            self._free.put_nowait(None)

    async def _take(self, limit_s: float) -> Any:  # noqa: ANN401  # same
        try:
            free = self._free.get_nowait()
        except asyncio.QueueEmpty:
            try:
                async with asyncio.timeout(limit_s):
                    free = await self._free.get()
            except TimeoutError:
                raise BusyError(
                    f"all connections to Redis at {self.address} are in use",
                    why=f"the limit is {self._limits.connections}",
                    hint="Raise redis.connections, or send fewer requests at once.",
                ) from None
        return self._connection() if free is None else free

    async def _reply(self, connected: Any) -> Any:  # noqa: ANN401  # same
        try:
            return await connected.read_response()
        except exceptions.ResponseError as error:
            return self._ours(error)

    @contextlib.contextmanager
    def _translated(self, limit_s: float | None = None) -> Iterator[None]:
        try:
            yield
        except TimeoutError as error:
            raise self._ours(exceptions.TimeoutError(), limit_s) from error
        except DRIVER_ERRORS as error:
            secret = self._target.password
            raise self._ours(error, limit_s) from (
                None if secret and secret in str(error) else error
            )

    def _ours(self, error: Exception, limit_s: float | None = None) -> OpsctlError:
        limit_s = limit_s or self._limits.answer_s
        return translate(error, self.address, limit_s=limit_s, secret=self._target.password)


class RedisPyAsyncSubscription:
    def __init__(
        self,
        connected: Any,  # noqa: ANN401  # redis-py ships it without types
        translated: Callable[[], contextlib.AbstractContextManager[None]],
        limit_s: float,
    ) -> None:
        self._connected = connected
        self._translated = translated
        self._limit_s = limit_s
        self._reading: asyncio.Task[Any] | None = None
        self._early: list[PubSubMessage] = []

    async def begin(self, topics: Topics) -> None:
        await self._connected.connect()
        await self._connected.send_packed_command(self._connected.pack_commands(topics.commands))
        acknowledged = 0
        while acknowledged < len(topics):
            message = read_message(await self._connected.read_response())
            if message is None:
                acknowledged += 1
            else:
                self._early.append(message)

    async def receive(self, wait_s: float) -> PubSubMessage | None:
        if self._early:
            return self._early.pop(0)
        with self._translated():
            reply = await self._reply(wait_s)
            if reply is None:
                await self._connected.send_command("PING")
                reply = await self._reply(self._limit_s)
        if reply is None:
            raise silent()
        return read_message(reply)

    async def _reply(self, wait_s: float) -> Any:  # noqa: ANN401  # same
        """Wait without giving up the read: a cancelled one would lose half a message."""
        if self._reading is None:
            self._reading = asyncio.create_task(self._connected.read_response())
        done, _ = await asyncio.wait({self._reading}, timeout=wait_s)
        if not done:
            return None
        reading, self._reading = self._reading, None
        return reading.result()

    async def close(self) -> None:
        if self._reading is not None:
            self._reading.cancel()
            with contextlib.suppress(asyncio.CancelledError, *DRIVER_ERRORS):
                await self._reading
        await self._connected.disconnect(nowait=True)


async def _ready(connected: Any) -> None:  # noqa: ANN401  # redis-py ships it without types
    await connected.connect()
    try:
        stale = await connected.can_read()
    except exceptions.ConnectionError:
        stale = True
    if stale:
        await connected.disconnect(nowait=True)
        await connected.connect()


def _kind(target: RedisTarget) -> type[Any]:
    if target.socket_path:
        return _NamedUnix
    return _NamedTls if target.tls else _NamedTcp


class _Named(_Connection):  # type: ignore[misc]  # redis-py ships it without types
    client_name: Any

    async def on_connect_check_health(self, *args: Any, **options: Any) -> None:  # noqa: ANN401  # as the driver has it
        """Say our name last, and go on without one where the user may not have any."""
        name, self.client_name = self.client_name, None
        try:
            await super().on_connect_check_health(*args, **options)
        finally:
            self.client_name = name
        await self.send_command("CLIENT", "SETNAME", name, check_health=False)
        with contextlib.suppress(exceptions.NoPermissionError):
            await self.read_response()


class _NamedUnix(_Named, connection.UnixDomainSocketConnection):
    pass


class _NamedTcp(_Named, connection.Connection):
    pass


class _NamedTls(_Named, connection.SSLConnection):
    pass


def _options(target: RedisTarget, *, name: str, limits: RedisLimits) -> dict[str, Any]:
    options: dict[str, Any] = {
        "db": target.db,
        "username": target.username or None,
        "password": target.password or None,
        "client_name": name,
        "protocol": 2,
        "retry": Retry(NoBackoff(), 0),
        # No deadline of the driver's: ours is around the whole exchange.
        "socket_timeout": None,
        "socket_connect_timeout": limits.answer_s,
        "driver_info": None,
    }
    if target.socket_path:
        return options | {"path": target.socket_path}
    options |= {"host": target.host, "port": target.port}
    return options | ({"ssl_ca_certs": target.ca_file or None} if target.tls else {})
