# Generated from opsctl/kit/redis/async_client.py by `make unasync`: edit that file instead.
"""`RedisClient`: fails at once while Redis is unavailable, and reconnects by itself."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

from opsctl.errors import OpsctlError
from opsctl.kit import adapters
from opsctl.kit.concurrency.fork import restart_in_child
from opsctl.kit.concurrency.threads import BackgroundJob, Lock
from opsctl.kit.redis.availability import (
    FIRST_PAUSE_S,
    UNAVAILABLE_ERRORS,
    Availability,
    next_pause,
)
from opsctl.kit.redis.callbacks import OnMessage
from opsctl.kit.redis.listener import Listener
from opsctl.systems.clock import Clock
from opsctl.systems.redis.target import Command, RedisLimits, RedisScript, RedisTarget, Word

if TYPE_CHECKING:
    from opsctl.settings import Settings
    from opsctl.systems.redis.pool import PooledRedis

DEFAULT_URL = "redis://localhost:6379/0"
DEFAULT_LIMITS = RedisLimits(answer_s=1.0, connections=16)


class RedisClient:
    """Threads may share one; with REDIS_ENABLED=false it is always unavailable."""

    def __init__(
        self,
        url: str | RedisTarget = DEFAULT_URL,
        *,
        service: str = "app",
        enabled: bool = True,
        limits: RedisLimits = DEFAULT_LIMITS,
        clock: Clock | None = None,
    ) -> None:
        target = RedisTarget.parse(url) if isinstance(url, str) else url
        self.address = target.address
        self.enabled = enabled
        self.service = service
        self.clock = clock or adapters.system_clock()
        self._target = target
        self._limits = limits
        self._redis: PooledRedis | None = None
        self._lock = Lock()
        self._availability = Availability(target.address, enabled=enabled)
        self._prober = BackgroundJob("opsctl-redis-prober")
        self._listeners: list[Listener] = []
        self._closed = False
        restart_in_child(self)

    @classmethod
    def from_settings(cls, settings: "Settings", *, service: str) -> Self:
        """Connect to the Redis of the settings."""
        from opsctl.kit.from_settings import redis_arguments  # noqa: PLC0415 - loads pydantic

        return cls(service=service, **redis_arguments(settings))

    @classmethod
    def from_env(cls, *, service: str, environ: Mapping[str, str] | None = None) -> Self:
        """Read configs/ and .env, if there are any, and the environment."""
        from opsctl.kit.from_settings import load_settings  # noqa: PLC0415 - same

        return cls.from_settings(load_settings(environ), service=service)

    def __repr__(self) -> str:
        return f"RedisClient({self.address!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def available(self) -> bool:
        """False while Redis is known to be unavailable; sends nothing."""
        self._keep_probing()
        return self._availability.available

    def call(self, *words: Word, limit_s: float | None = None) -> Any:  # noqa: ANN401 - as many shapes as Redis has commands
        """Send one command; the reply is in RESP2, strings as bytes."""
        self._require_available()
        try:
            return self._server.call(*words, limit_s=limit_s)
        except UNAVAILABLE_ERRORS as error:
            self._mark_unavailable(error)
            raise

    def calls(self, commands: Sequence[Command], *, atomic: bool = False) -> list[Any]:
        """Send many in one round trip; the reply to a refused one is an OpsctlError."""
        self._require_available()
        try:
            return self._server.calls(commands, atomic=atomic)
        except UNAVAILABLE_ERRORS as error:
            self._mark_unavailable(error)
            raise

    def run(self, script: RedisScript, keys: Sequence[str], args: Sequence[Word] = ()) -> Any:  # noqa: ANN401 - same
        """Run a script on the server."""
        self._require_available()
        try:
            return self._server.run(script, keys, args)
        except UNAVAILABLE_ERRORS as error:
            self._mark_unavailable(error)
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
        """Subscribe in a thread of its own; after `on_gap`, earlier messages may be missing."""
        listener = Listener(
            self._server.subscribe,
            on_message,
            topics=adapters.topics(channels, patterns),
            on_gap=on_gap,
            on_lost=on_lost,
        )
        if self.enabled:
            self._listeners.append(listener)
            listener.start()
        return listener

    def on_change(self, callback: Callable[[bool], None]) -> None:
        """Call back once per change: False when Redis becomes unavailable, True when it is back."""
        self._availability.on_change(callback)

    def close(self) -> None:
        """Close listeners and connections, and stop looking for an unavailable Redis."""
        self._closed = True
        for listener in self._listeners:
            listener.close()
        self._prober.stop()
        if self._redis is not None:
            self._redis.close()

    def restart_after_fork(self) -> None:
        """Start without the listeners and locks of the parent; connections renew themselves."""
        self._lock = Lock()
        self._listeners = []
        self._availability.restart_after_fork()

    @property
    def _server(self) -> "PooledRedis":
        return self._redis or self._open()

    def _open(self) -> "PooledRedis":
        with self._lock:
            if self._redis is None:
                self._redis = adapters.redis_connections(
                    self._target, name=self.service, limits=self._limits, clock=self.clock
                )
            return self._redis

    def _require_available(self) -> None:
        self._closed = False
        self._keep_probing()
        self._availability.require()

    def _mark_unavailable(self, error: OpsctlError) -> None:
        self._availability.mark_unavailable(error)
        self._keep_probing()

    def _keep_probing(self) -> None:
        """Look for an unavailable Redis, in a forked child too."""
        if self._availability.available or self._closed or not self.enabled:
            return
        with self._lock:
            if self._prober.startable and not self._prober.running:
                self._prober.start(self._probe)

    def _probe(self) -> None:
        pause_s = FIRST_PAUSE_S
        while not self._prober.pause(adapters.add_jitter(pause_s)):
            pause_s = next_pause(pause_s)
            try:
                self._server.call("PING")
            except OpsctlError:
                continue
            self._availability.mark_available()
            if self._availability.available:
                return
