"""Redis for services: away means an error at once, and a prober that looks for it."""

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

from opsctl.errors import OpsctlError
from opsctl.kit import parts
from opsctl.kit.listener import Listener, OnMessage
from opsctl.kit.presence import AWAY, FIRST_PAUSE_S, Presence, next_pause
from opsctl.logs import logger
from opsctl.systems.clock import AsyncClock
from opsctl.systems.redis.target import Command, RedisLimits, RedisTarget, Script, Word

if TYPE_CHECKING:
    from opsctl.settings import Settings
    from opsctl.systems.redis.pool import PooledRedis

log = logger(__name__)

DEFAULT_URL = "redis://localhost:6379/0"
DEFAULT_LIMITS = RedisLimits(answer_s=1.0, connections=16)


class Client:
    """Threads share one; REDIS_ENABLED=false makes one that is always away."""

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
        self._target = target
        self._limits = limits
        self._redis: PooledRedis | None = None
        self._opening = threading.Lock()
        self._presence = Presence(target.address, enabled=enabled)
        self._closed = threading.Event()
        self._listeners: list[Listener] = []

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
        return f"Client({self.address!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def available(self) -> bool:
        """Whether Redis is not known to be away; asks nobody."""
        return not self._presence.away

    def call(self, *words: Word, limit_s: float | None = None) -> Any:  # noqa: ANN401 - as many shapes as Redis has commands
        """Send one command; answer as RESP2 has it, strings as bytes."""
        self._presence.require()
        try:
            return self._server.call(*words, limit_s=limit_s)
        except AWAY as error:
            self._lost(error)
            raise

    def calls(self, commands: Sequence[Command], *, atomic: bool = False) -> list[Any]:
        """Send many in one round trip; a refused one stands in its place as an OpsctlError."""
        self._presence.require()
        try:
            return self._server.calls(commands, atomic=atomic)
        except AWAY as error:
            self._lost(error)
            raise

    def run(self, script: Script, keys: Sequence[str], args: Sequence[Word] = ()) -> Any:  # noqa: ANN401 - same
        """Run a script on the server."""
        self._presence.require()
        try:
            return self._server.run(script, keys, args)
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
    ) -> Listener:
        """Listen in a thread of its own; `on_gap` says that messages before now may be missing."""
        listener = Listener(
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

    def close(self) -> None:
        self._closed.set()
        for listener in self._listeners:
            listener.close()
        if self._redis is not None:
            self._redis.close()

    @property
    def _server(self) -> "PooledRedis":
        return self._redis or self._open()

    def _open(self) -> "PooledRedis":
        with self._opening:
            if self._redis is None:
                self._redis = parts.pooled_redis(
                    self._target, name=self.service, limits=self._limits, clock=self.clock
                )
            return self._redis

    def _lost(self, error: OpsctlError) -> None:
        if self._presence.lost(error):
            threading.Thread(target=self._look, name="opsctl-redis-prober", daemon=True).start()

    def _look(self) -> None:
        pause_s = FIRST_PAUSE_S
        while not self._closed.wait(parts.jittered(pause_s)):
            try:
                self._server.call("PING")
            except OpsctlError:
                pause_s = next_pause(pause_s)
            else:
                self._presence.found()
                return
