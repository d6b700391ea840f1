"""`Cache`: for threads. `AsyncCache` speaks the same words for event loops."""

import functools
import inspect
import os
import threading
import weakref
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, ParamSpec, Self, TypeVar

from opsctl.errors import OpsctlError, UsageError
from opsctl.kit import parts
from opsctl.kit.breaker import Breaker, State
from opsctl.kit.cache import reads, writes
from opsctl.kit.cache.arguments import KeyMaker, key_maker
from opsctl.kit.cache.fill import Outcome, fill, is_due, renew
from opsctl.kit.cache.flights import Flights, ThreadFlight
from opsctl.kit.cache.layers import Layers, Setup
from opsctl.kit.cache.model import Backend, CacheLimits, Counts, Life
from opsctl.kit.cache.reports import publish
from opsctl.kit.cache.steps import Ask, Compute, Effect, Pause, Steps
from opsctl.kit.cache.warm import Declared, WarmReport, Warmth
from opsctl.logs import logger
from opsctl.systems.clock import AsyncClock

if TYPE_CHECKING:
    from opsctl.kit.client import Client
    from opsctl.kit.listener import Listener
    from opsctl.settings import Settings

log = logger(__name__)

P = ParamSpec("P")
T = TypeVar("T")
_MOST_RENEWALS = 4
_alive: "weakref.WeakSet[Cache]" = weakref.WeakSet()


class Cache:
    """Errors never reach the caller and are no misses: without Redis, memory serves alone."""

    def __init__(
        self,
        client: "Client | None" = None,
        *,
        setup: Setup | None = None,
        breaker: Breaker | None = None,
        clock: AsyncClock | None = None,
    ) -> None:
        clock = clock or (client.clock if client else parts.system_clock())
        setup = setup or Setup()
        self._client = client
        self._layers = Layers(setup, clock, redis=client is not None)
        self._breaker = breaker or Breaker("the cache's redis", clock=clock)
        flights: dict[str, ThreadFlight] = {}
        self._layers.waiting = flights
        self._flights = Flights(flights, setup.limits.wait_s)
        self._renewals = threading.BoundedSemaphore(_MOST_RENEWALS)
        self._declared: list[Declared] = []
        self._listener: Listener | None = None
        self._starting = threading.Lock()
        self._started = False
        self._closed = threading.Event()
        self._asked = threading.Event()
        self._owned: list[Client] = []
        self._layers.on_question = self._asked.set
        self._loads = self._layers.codec.decode
        if client is not None and self._layers.far:
            client.on_change(lambda _: self._look(client))
            self._breaker.on_change(lambda _: self._look(client))
            self._look(client)
            _alive.add(self)

    @classmethod
    def from_settings(cls, settings: "Settings", *, service: str) -> Self:
        """Build what section `cache` says, with a connection of its own."""
        from opsctl.kit.cache.configured import cache_parts  # noqa: PLC0415 - pydantic, if wanted
        from opsctl.kit.client import Client  # noqa: PLC0415 - memory alone needs none

        arguments, setup, rules = cache_parts(settings)
        client = None if setup.backend is Backend.MEMORY else Client(service=service, **arguments)
        made = cls(client, setup=setup, breaker=Breaker("the cache's redis", **rules))
        made._owned = [client] if client else []
        return made

    @classmethod
    def from_env(cls, *, service: str, environ: Mapping[str, str] | None = None) -> Self:
        """Read configs/opsctl.yaml (where there is one), .env and the environment."""
        from opsctl.kit.configured import load_settings  # noqa: PLC0415 - same

        return cls.from_settings(load_settings(environ), service=service)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # Reading.

    def get(self, key: str, default: Any = None) -> Any:  # noqa: ANN401 - a value is anything
        """Take a value, or `default`; give MISSING to tell a stored None from none."""
        layers = self._layers
        if layers.near:
            payload = layers.memory.get(key)
            if payload is not None:
                return payload if isinstance(payload, int) else layers.codec.loads(payload)
        found = self._do(reads.get(layers, key))
        return default if found is None else self._loads(found)

    def get_many(self, keys: Iterable[str]) -> dict[str, Any]:
        """Take what is there, in one trip."""
        layers = self._layers
        wanted = list(dict.fromkeys(keys))
        here = {}
        if layers.near:
            found = {key: layers.memory.get(key) for key in wanted}
            here = {key: payload for key, payload in found.items() if payload is not None}
        rest = self._do(reads.get_many(layers, [key for key in wanted if key not in here]))
        merged = here | rest
        return {key: self._loads(merged[key]) for key in wanted if key in merged}

    def exists(self, key: str) -> bool:
        return self._do(reads.exists(self._layers, key))

    def ttl(self, key: str) -> float | None:
        """Say for how many seconds a value is still fresh; None where there is none."""
        return self._do(reads.left(self._layers, key))

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
        life = Life(self._layers.seconds(ttl), stale)
        return self._do(writes.set_many(self._layers, values, life))

    def delete(self, *keys: str) -> int:
        """Delete everywhere; say how many were there."""
        return self._do(writes.delete(self._layers, keys))

    def delete_pattern(self, pattern: str) -> int:
        """Delete what matches a glob of Redis, in every process, without stalling the server."""
        return self._do(writes.delete_pattern(self._layers, pattern))

    def clear(self) -> int:
        return self.delete_pattern("*")

    def expire(self, key: str, ttl: float | str) -> bool:
        return self._do(writes.expire(self._layers, key, self._layers.seconds(ttl)))

    def incr(self, key: str, by: int = 1, *, ttl: float | str | None = None) -> int:
        """Count for all processes; a new number lives for `ttl`, an old one keeps its time."""
        return self._do(writes.count(self._layers, key, by, self._layers.seconds(ttl)))

    # Computing.

    def get_or_set(
        self,
        key: str,
        factory: Callable[[], Any],
        ttl: float | str | None = None,
        *,
        stale: float = 0.0,
        early: float = 0.0,
    ) -> Any:  # noqa: ANN401 - a value is anything
        """Take a value, or compute it: once, however many threads and processes ask.

        `stale`: for so many seconds after its time it is served while it is renewed behind the
        scenes. `early`: 1 renews by chance shortly before its end, more is earlier.
        """
        layers = self._layers
        life = Life(layers.seconds(ttl), stale, early)
        entry = layers.memory.lookup(key) if layers.near else None
        if entry is not None and (stale or entry.fresh_until > layers.now()):
            due = (stale or early) and is_due(entry, layers.now(), early)
            return self._value(Outcome(entry.value, stale=bool(due)), key, factory, life)
        outcome = self._flights.once(
            key, lambda flight: self._do(fill(layers, key, life, flight), factory, flight)
        )
        return self._value(outcome, key, factory, life)

    def cached(
        self,
        prefix: str,
        ttl: float | str | None = None,
        *,
        key: KeyMaker | None = None,
        stale: float = 0.0,
        early: float = 0.0,
    ) -> Callable[[Callable[P, T]], Callable[P, T]]:
        """Cache a function or method by its arguments, or by what `key` makes of them."""

        def decorate(function: Callable[P, T]) -> Callable[P, T]:
            refuse_coroutine(function, wanted=False)
            make = key_of(function, prefix, key)

            @functools.wraps(function)
            def wrapper(*args: P.args, **kwargs: P.kwargs) -> T:
                answer: T = self.get_or_set(
                    make(*args, **kwargs),
                    lambda: function(*args, **kwargs),
                    ttl,
                    stale=stale,
                    early=early,
                )
                return answer

            wrapper.key = make  # type: ignore[attr-defined]  # for callers who want to delete
            return wrapper

        return decorate

    # Warming.

    def declare(self, key: str, factory: Callable[[], Any], ttl: float | str | None = None) -> None:
        """Name a value that `warm_up` is to have ready."""
        self._declared.append(Declared(key, factory, ttl))

    def warm_up(self) -> WarmReport:
        """Have every declared value ready; one that fails is said and harms no other."""
        warmth = Warmth()
        for one in self._declared:
            with warmth.of(one.key):
                self.get_or_set(one.key, one.factory, one.ttl)
        return warmth.report()

    # Itself.

    @property
    def counts(self) -> Counts:
        self._layers.snapshot()
        return self._layers.counts

    @property
    def listening(self) -> bool:
        """Whether changes by other processes arrive as they happen."""
        return self._layers.hears

    @property
    def healthy(self) -> bool:
        """Whether the layers that the settings want are all there."""
        return not self._layers.far or not self._layers.away

    def close(self) -> None:
        """Say a last time what was done, and stop listening."""
        if self._started and not self._layers.away and not self._closed.is_set():
            self._report(ended=True)
        self._closed.set()
        self._asked.set()
        if self._listener is not None:
            self._listener.close()
        for client in self._owned:
            client.close()

    def _value(self, outcome: Outcome, key: str, factory: Callable[[], Any], life: Life) -> Any:  # noqa: ANN401 - a value is anything
        if outcome.stale and self._renewals.acquire(blocking=False):
            threading.Thread(
                target=self._renew, args=(key, factory, life), name="opsctl-cache-renewal"
            ).start()
        if outcome.payload is None:
            return outcome.value
        return self._loads(outcome.payload)

    def _renew(self, key: str, factory: Callable[[], Any], life: Life) -> None:
        try:
            self._flights.start(
                key,
                lambda flight: (
                    self._do(renew(self._layers, key, life, flight), factory, flight)
                    or Outcome(None)
                ),
            )
        except Exception:
            # The user's own factory; the old value goes on serving.
            log.exception("a value could not be renewed", extra={"key": key})
        finally:
            self._renewals.release()

    def _do(
        self,
        steps: Steps[T],
        factory: Callable[[], Any] | None = None,
        flight: ThreadFlight | None = None,
    ) -> T:
        """Carry out steps one by one; what goes wrong with one is told to the logic."""
        try:
            effect = next(steps)
            while True:
                try:
                    answer = self._perform(effect, factory, flight)
                except BaseException as error:  # noqa: BLE001 - the logic decides, and raises
                    effect = steps.throw(error)
                else:
                    effect = steps.send(answer)
        except StopIteration as done:
            return done.value  # type: ignore[no-any-return]  # StopIteration has no type

    def _perform(
        self, effect: Effect, factory: Callable[[], Any] | None, flight: ThreadFlight | None
    ) -> Any:  # noqa: ANN401 - as many answers as effects
        if isinstance(effect, Compute) and factory is not None:
            return factory()
        if isinstance(effect, Pause) and flight is not None:
            return flight.pause(effect.seconds)
        return self._ask(effect)

    def _ask(self, effect: Effect) -> Any:  # noqa: ANN401 - same
        client = self._client
        if client is None:
            raise UsageError("this cache has no Redis")
        if not self._started:
            self._start()
        if not client.available:
            # Fails at once; the breaker is for a Redis that is thought to be there.
            return client.calls([("PING",)])
        if isinstance(effect, Ask):
            if len(effect.commands) == 1:
                return [self._breaker.call(client.call, *effect.commands[0])]
            return self._breaker.call(client.calls, effect.commands)
        return self._breaker.call(client.run, effect.script, effect.keys, effect.args)  # type: ignore[union-attr]  # what is left is Run

    def _look(self, client: "Client") -> None:
        """See whether Redis is there, in the eyes of the connection and of the breaker."""
        there = client.available and self._breaker.state is not State.OPEN
        if there is self._layers.away:
            self._layers.changed(there=there)

    def _start(self) -> None:
        """Begin to listen and to report with the first word to Redis."""
        with self._starting:
            if self._started or self._client is None or not self._client.enabled:
                return
            self._started = True
        if self._layers.backend is Backend.LAYERED:
            self._listener = self._client.listen(
                lambda message: self._layers.heard(message.data),
                channels=(self._layers.names.channel,),
                on_gap=self._layers.gap,
                on_lost=self._layers.lost,
            )
        threading.Thread(target=self._reports, name="opsctl-cache-reports", daemon=True).start()

    def _reports(self) -> None:
        while not self._closed.is_set():
            self._asked.wait(self._layers.limits.report_every_s)
            self._asked.clear()
            if not self._closed.is_set() and not self._layers.away:
                self._report()

    def _report(self, *, ended: bool = False) -> None:
        service = self._client.service if self._client else ""
        try:
            self._do(publish(self._layers, service, ended=ended))
        except OpsctlError as error:
            log.debug("cache report failed", extra={"what": error.what})

    def _forked(self) -> None:
        self._layers.restart()
        self._flights.restart()
        self._started = False
        self._listener = None
        self._starting = threading.Lock()


def key_of(function: Callable[..., Any], prefix: str, key: KeyMaker | None) -> KeyMaker:
    if key is None:
        return key_maker(function, prefix)
    return lambda *args, **kwargs: f"{prefix}:{key(*args, **kwargs)}"


def refuse_coroutine(function: Callable[..., Any], *, wanted: bool) -> None:
    if inspect.iscoroutinefunction(function) is not wanted:
        kind, other = ("a coroutine", "Cache") if wanted else ("no coroutine", "AsyncCache")
        raise UsageError(
            f"{function.__qualname__} is not {kind} function", hint=f"Use {other}.cached."
        )


def _after_fork() -> None:
    for cache in tuple(_alive):
        cache._forked()  # noqa: SLF001 - ours, of this file


os.register_at_fork(after_in_child=_after_fork)

__all__ = ["Cache", "CacheLimits", "Setup"]
