# Generated from opsctl/kit/cache/async_cache.py by `make unasync`: edit that file instead.
"""`Cache`: memory in front of Redis, shared by all processes."""

import functools
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, ParamSpec, Self, TypeVar

from opsctl.kit import adapters
from opsctl.kit.breaker import Breaker
from opsctl.kit.cache import reads, writes
from opsctl.kit.cache.arguments import KeyBuilder, key_builder
from opsctl.kit.cache.computing.fill import FillResult, fill, needs_refresh, refresh
from opsctl.kit.cache.computing.thread_computations import (
    Computations,
    Factory,
    RunningComputation,
    require_right_kind,
)
from opsctl.kit.cache.connection import CacheConnection
from opsctl.kit.cache.model import Backend, CacheCounts, Expiry
from opsctl.kit.cache.state import CacheOptions, CacheState
from opsctl.kit.cache.warm_up import DeclaredValue, WarmUpReport, WarmUpRun
from opsctl.kit.concurrency.fork import restart_in_child
from opsctl.kit.concurrency.threads import BackgroundPool
from opsctl.logs import logger
from opsctl.systems.clock import Clock

if TYPE_CHECKING:
    from opsctl.kit.redis.client import RedisClient
    from opsctl.settings import Settings

log = logger(__name__)

P = ParamSpec("P")
T = TypeVar("T")
_MOST_REFRESHES = 4


class Cache:
    """Errors never reach the caller and are no misses: without Redis, memory serves alone."""

    def __init__(
        self,
        client: "RedisClient | None" = None,
        *,
        options: CacheOptions | None = None,
        breaker: Breaker | None = None,
        clock: Clock | None = None,
    ) -> None:
        clock = clock or (client.clock if client else adapters.system_clock())
        options = options or CacheOptions()
        breaker = breaker or Breaker("Redis for the cache", clock=clock)
        self._state = CacheState(options, clock, redis=client is not None)
        self._connection = CacheConnection(client, self._state, breaker)
        self._computations = Computations(options.limits.wait_s)
        self._state.computations = self._computations.running
        self._refreshes = BackgroundPool("opsctl-cache-refresh", most=_MOST_REFRESHES)
        self._declared: list[DeclaredValue] = []
        self._own_client: RedisClient | None = None
        self._decode = self._state.codec.decode
        if self._state.uses_redis:
            restart_in_child(self)

    @classmethod
    def from_settings(cls, settings: "Settings", *, service: str) -> Self:
        """Build what section `cache` of the settings describes, with a connection of its own."""
        from opsctl.kit.cache.from_settings import cache_arguments  # noqa: PLC0415 - loads pydantic
        from opsctl.kit.redis.client import RedisClient  # noqa: PLC0415 - loads redis

        arguments, options, breaker = cache_arguments(settings)
        in_memory = options.backend is Backend.MEMORY
        client = None if in_memory else RedisClient(service=service, **arguments)
        cache = cls(client, options=options, breaker=Breaker("Redis for the cache", **breaker))
        cache._own_client = client
        return cache

    @classmethod
    def from_env(cls, *, service: str, environ: Mapping[str, str] | None = None) -> Self:
        """Read configs/ and .env, if there are any, and the environment."""
        from opsctl.kit.from_settings import load_settings  # noqa: PLC0415 - loads pydantic

        return cls.from_settings(load_settings(environ), service=service)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # Reading.

    def get(self, key: str, default: Any = None) -> Any:  # noqa: ANN401 - a value is anything
        """Return a value or `default`; pass MISSING to tell a stored None from a missing value."""
        state = self._state
        if state.uses_memory:
            payload = state.memory.get(key)
            if payload is not None:
                return payload if isinstance(payload, int) else state.codec.loads(payload)
        payload = self._connection.run(reads.get(state, key))
        return default if payload is None else self._decode(payload)

    def get_many(self, keys: Iterable[str]) -> dict[str, Any]:
        """Return the values that exist, in one round trip."""
        state = self._state
        wanted = list(dict.fromkeys(keys))
        payloads: dict[str, Any] = {}
        if state.uses_memory:
            payloads = {key: state.memory.get(key) for key in wanted}
        missing = [key for key in wanted if payloads.get(key) is None]
        payloads |= self._connection.run(reads.get_many(state, missing))
        return {key: self._decode(payloads[key]) for key in wanted if payloads.get(key) is not None}

    def exists(self, key: str) -> bool:
        return self._connection.run(reads.exists(self._state, key))

    def ttl(self, key: str) -> float | None:
        """Return for how many seconds a value is still fresh; None where there is none."""
        return self._connection.run(reads.remaining_ttl(self._state, key))

    # Writing.

    def set(
        self,
        key: str,
        value: Any,  # noqa: ANN401 - a value is anything
        ttl: float | str | None = None,
        *,
        stale: float = 0.0,
    ) -> bool:
        """Store for `ttl`: seconds or a name such as "news". True when every layer has it."""
        return self.set_many({key: value}, ttl, stale=stale)

    def set_many(
        self, values: Mapping[str, Any], ttl: float | str | None = None, *, stale: float = 0.0
    ) -> bool:
        expiry = Expiry(self._state.ttl_seconds(ttl), stale)
        return self._connection.run(writes.set_many(self._state, values, expiry))

    def delete(self, *keys: str) -> int:
        """Delete everywhere, and return how many values there were."""
        return self._connection.run(writes.delete(self._state, keys))

    def delete_pattern(self, pattern: str) -> int:
        """Delete what matches a Redis glob, in every process, without blocking the server."""
        return self._connection.run(writes.delete_pattern(self._state, pattern))

    def clear(self) -> int:
        return self.delete_pattern("*")

    def expire(self, key: str, ttl: float | str) -> bool:
        """Set a new TTL; false where there is no value."""
        seconds = self._state.ttl_seconds(ttl)
        return self._connection.run(writes.expire(self._state, key, seconds))

    def incr(self, key: str, by: int = 1, *, ttl: float | str | None = None) -> int:
        """Count for all processes; a new number gets `ttl`, an existing one keeps its own."""
        seconds = self._state.ttl_seconds(ttl)
        return self._connection.run(writes.count(self._state, key, by, seconds))

    # Computing.

    def get_or_set(
        self,
        key: str,
        factory: Factory,
        ttl: float | str | None = None,
        *,
        stale: float = 0.0,
        early: float = 0.0,
    ) -> Any:  # noqa: ANN401 - a value is anything
        """Return a value, or compute it: once, however many threads and processes ask.

        `stale`: for how many seconds after its TTL it is served while it is refreshed in the
        background. `early`: 1 refreshes by chance shortly before the end, more is earlier.
        """
        state = self._state
        expiry = Expiry(state.ttl_seconds(ttl), stale, early)
        entry = state.memory.lookup(key) if state.uses_memory else None
        if entry is not None and (stale or entry.fresh_until > state.now()):
            due = (stale or early) and needs_refresh(entry, state.now(), early)
            return self._use(FillResult(entry.value, stale=bool(due)), key, factory, expiry)

        def compute(computation: RunningComputation) -> FillResult:
            effects = fill(state, key, expiry, computation)
            return self._connection.run(effects, factory, computation)

        result = self._computations.compute_once(key, compute)
        return self._use(result, key, factory, expiry)

    def cached(
        self,
        prefix: str,
        ttl: float | str | None = None,
        *,
        key: KeyBuilder | None = None,
        stale: float = 0.0,
        early: float = 0.0,
    ) -> Callable[[Callable[P, T]], Callable[P, T]]:
        """Cache a function or method by its arguments, or by what `key` returns."""

        def decorate(function: Callable[P, T]) -> Callable[P, T]:
            require_right_kind(function)
            build_key = key_builder(function, prefix, key)

            @functools.wraps(function)
            def wrapper(*args: P.args, **kwargs: P.kwargs) -> T:
                value: T = self.get_or_set(
                    build_key(*args, **kwargs),
                    lambda: function(*args, **kwargs),
                    ttl,
                    stale=stale,
                    early=early,
                )
                return value

            wrapper.key = build_key  # type: ignore[attr-defined]  # for callers who want to delete
            return wrapper

        return decorate

    # Warming up.

    def declare(self, key: str, factory: Factory, ttl: float | str | None = None) -> None:
        """Declare a value for `warm_up` to compute."""
        self._declared.append(DeclaredValue(key, factory, ttl))

    def warm_up(self) -> WarmUpReport:
        """Compute all declared values; one that fails is reported and does not stop the others."""
        run = WarmUpRun()
        for value in self._declared:
            with run.record(value.key):
                self.get_or_set(value.key, value.factory, value.ttl)
        return run.report()

    # State.

    @property
    def counts(self) -> CacheCounts:
        self._state.collect_figures()
        return self._state.counts

    @property
    def listening(self) -> bool:
        """Whether changes by other processes arrive as they happen."""
        return self._state.listening

    @property
    def healthy(self) -> bool:
        """Whether every layer that the options ask for is available."""
        return not self._state.uses_redis or not self._state.redis_unavailable

    def close(self) -> None:
        """Publish a last report, and stop listening."""
        self._refreshes.stop()
        self._connection.close()
        if self._own_client is not None:
            self._own_client.close()

    def restart_after_fork(self) -> None:
        self._state.restart()
        self._connection.restart()
        self._computations.restart()
        self._refreshes = BackgroundPool("opsctl-cache-refresh", most=_MOST_REFRESHES)

    def _use(self, result: FillResult, key: str, factory: Factory, expiry: Expiry) -> Any:  # noqa: ANN401 - a value is anything
        """Return the value, and refresh it in the background if it is stale."""
        if result.stale and key not in self._computations.running:
            self._refreshes.start(lambda: self._refresh(key, factory, expiry))
        if result.payload is None:
            return result.value
        return self._decode(result.payload)

    def _refresh(self, key: str, factory: Factory, expiry: Expiry) -> None:
        def compute(computation: RunningComputation) -> FillResult:
            effects = refresh(self._state, key, expiry, computation)
            return self._connection.run(effects, factory, computation) or FillResult(None)

        try:
            self._computations.compute_if_idle(key, compute)
        except Exception:
            # The factory of the service; the old value is still served.
            log.exception("cannot refresh a cached value", extra={"key": key})
