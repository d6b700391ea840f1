"""Redis for services on an event loop: the words of `Client`, to be awaited."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

from opsctl.errors import OpsctlError
from opsctl.kit import parts
from opsctl.kit.async_listener import AsyncListener
from opsctl.kit.client import DEFAULT_LIMITS, DEFAULT_URL
from opsctl.kit.listener import OnMessage
from opsctl.kit.presence import AWAY, FIRST_PAUSE_S, Presence, next_pause
from opsctl.systems.clock import AsyncClock
from opsctl.systems.redis.target import Command, RedisLimits, RedisTarget, Script, Word

if TYPE_CHECKING:
    from opsctl.settings import Settings


class AsyncClient:
    """One for each event loop; REDIS_ENABLED=false makes one that is always away."""

    def __init__(
        self,
        url: str | RedisTarget = DEFAULT_URL,
        *,
        service: str = "app",
        enabled: bool = True,
        limits: RedisLimits = DEFAULT_LIMITS,
        clock: AsyncClock | None = None,
    ) -> None:
        target = RedisTarget.parse(url) if isinstance(url, str) else url
        self.address = target.address
        self.enabled = enabled
        self.service = service
        self.clock = clock or parts.system_clock()
        self._server = parts.async_redis(target, name=service, limits=limits)
        self._presence = Presence(target.address, enabled=enabled)
        self._prober: asyncio.Task[None] | None = None
        self._listeners: list[AsyncListener] = []

    @classmethod
    def from_settings(cls, settings: "Settings", *, service: str) -> Self:
        from opsctl.kit.configured import redis_arguments  # noqa: PLC0415 - pydantic, if wanted

        return cls(service=service, **redis_arguments(settings))

    @classmethod
    def from_env(cls, *, service: str, environ: Mapping[str, str] | None = None) -> Self:
        """Read settings as opsctl does: configs/ and .env where they are, and the environment."""
        from opsctl.kit.configured import load_settings  # noqa: PLC0415 - same

        return cls.from_settings(load_settings(environ), service=service)

    def __repr__(self) -> str:
        return f"AsyncClient({self.address!r})"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    @property
    def available(self) -> bool:
        """Whether Redis is not known to be away; asks nobody."""
        return not self._presence.away

    async def call(self, *words: Word, limit_s: float | None = None) -> Any:  # noqa: ANN401 - as many shapes as Redis has commands
        self._require()
        try:
            return await self._server.call(*words, limit_s=limit_s)
        except AWAY as error:
            self._lost(error)
            raise

    async def calls(self, commands: Sequence[Command], *, atomic: bool = False) -> list[Any]:
        self._require()
        try:
            return await self._server.calls(commands, atomic=atomic)
        except AWAY as error:
            self._lost(error)
            raise

    async def run(self, script: Script, keys: Sequence[str], args: Sequence[Word] = ()) -> Any:  # noqa: ANN401 - same
        self._require()
        try:
            return await self._server.run(script, keys, args)
        except AWAY as error:
            self._lost(error)
            raise

    def listen(
        self,
        on_message: OnMessage,
        *,
        channels: Sequence[str] = (),
        patterns: Sequence[str] = (),
        on_gap: Callable[[], None] | None = None,
        on_lost: Callable[[], None] | None = None,
    ) -> AsyncListener:
        """Listen in a task of this loop; `on_gap` says that messages before now may be missing."""
        listener = AsyncListener(
            self._server.subscribe,
            on_message,
            topics=parts.topics(channels, patterns),
            on_gap=on_gap,
            on_lost=on_lost,
        )
        if self.enabled:
            self._listeners.append(listener)
            listener.start()
        return listener

    def on_change(self, callback: Callable[[bool], None]) -> None:
        """Be told once a change: True when Redis is back, False when it is away."""
        self._presence.watch(callback)

    async def close(self) -> None:
        for listener in self._listeners:
            await listener.close()
        if self._prober is not None:
            self._prober.cancel()
            await asyncio.wait({self._prober})
        await self._server.close()

    def _require(self) -> None:
        if self._presence.away and self.enabled and self._abandoned():
            # The loop that was looking for Redis is gone; this one looks from here on.
            self._prober = asyncio.create_task(self._look())
        self._presence.require()

    def _abandoned(self) -> bool:
        prober = self._prober
        return prober is None or prober.done() or prober.get_loop().is_closed()

    def _lost(self, error: OpsctlError) -> None:
        if self._presence.lost(error):
            self._prober = asyncio.create_task(self._look())

    async def _look(self) -> None:
        pause_s = FIRST_PAUSE_S
        while True:
            await asyncio.sleep(parts.jittered(pause_s))
            try:
                await self._server.call("PING")
            except OpsctlError:
                pause_s = next_pause(pause_s)
            else:
                self._presence.found()
                return
