"""`AsyncCache`: the words of `Cache`, to be awaited; one for each event loop."""

import asyncio
import functools
import inspect
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, ParamSpec, Self, TypeVar

from opsctl.errors import OpsctlError, UsageError
from opsctl.kit import parts
from opsctl.kit.breaker import Breaker, State
from opsctl.kit.cache import reads, writes
from opsctl.kit.cache.arguments import KeyMaker
from opsctl.kit.cache.cache import key_of, refuse_coroutine
from opsctl.kit.cache.fill import Outcome, fill, is_due, renew
from opsctl.kit.cache.layers import Layers, Setup
from opsctl.kit.cache.model import Backend, Counts, Life
from opsctl.kit.cache.reports import publish
from opsctl.kit.cache.steps import Ask, Compute, Effect, Pause, Steps
from opsctl.kit.cache.tasks import TaskFlight, TaskFlights
from opsctl.kit.cache.warm import Declared, WarmReport, Warmth
from opsctl.logs import logger
from opsctl.systems.clock import AsyncClock

if TYPE_CHECKING:
    from opsctl.kit.async_client import AsyncClient
    from opsctl.kit.async_listener import AsyncListener
    from opsctl.settings import Settings

log = logger(__name__)

P = ParamSpec("P")
T = TypeVar("T")
Factory = Callable[[], Any]
"""A coroutine function, or a plain one."""
_MOST_RENEWALS = 4


class AsyncCache:
    """Errors never reach the caller and are no misses: without Redis, memory serves alone."""

    def __init__(
        self,
        client: "AsyncClient | None" = None,
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
        flights: dict[str, TaskFlight] = {}
        self._layers.waiting = flights
        self._flights = TaskFlights(flights, setup.limits.wait_s)
        self._renewals: set[asyncio.Task[None]] = set()
        self._declared: list[Declared] = []
        self._listener: AsyncListener | None = None
        self._reporter: asyncio.Task[None] | None = None
        self._asked = asyncio.Event()
        self._owned: list[AsyncClient] = []
        self._layers.on_question = self._asked.set
        self._loads = self._layers.codec.decode
        if client is not None and self._layers.far:
            client.on_change(lambda _: self._look(client))
            self._breaker.on_change(lambda _: self._look(client))
            self._look(client)

    @classmethod
    def from_settings(cls, settings: "Settings", *, service: str) -> Self:
        """Build what section `cache` says, with a connection of its own."""
        from opsctl.kit.async_client import AsyncClient  # noqa: PLC0415 - memory alone needs none
        from opsctl.kit.cache.configured import cache_parts  # noqa: PLC0415 - pydantic, if wanted

        arguments, setup, rules = cache_parts(settings)
        away = setup.backend is Backend.MEMORY
        client = None if away else AsyncClient(service=service, **arguments)
        made = cls(client, setup=setup, breaker=Breaker("the cache's redis", **rules))
        made._owned = [client] if client else []
        return made

    @classmethod
    def from_env(cls, *, service: str, environ: Mapping[str, str] | None = None) -> Self:
        """Read configs/opsctl.yaml (where there is one), .env and the environment."""
        from opsctl.kit.configured import load_settings  # noqa: PLC0415 - same

        return cls.from_settings(load_settings(environ), service=service)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    # Reading.

    async def get(self, key: str, default: Any = None) -> Any:  # noqa: ANN401 - a value is anything
        """Take a value, or `default`; give MISSING to tell a stored None from none."""
        layers = self._layers
        if layers.near:
            payload = layers.memory.get(key)
            if payload is not None:
                return payload if isinstance(payload, int) else layers.codec.loads(payload)
        found = await self._do(reads.get(layers, key))
        return default if found is None else self._loads(found)

    async def get_many(self, keys: Iterable[str]) -> dict[str, Any]:
        """Take what is there, in one trip."""
        layers = self._layers
        wanted = list(dict.fromkeys(keys))
        here = {}
        if layers.near:
            found = {key: layers.memory.get(key) for key in wanted}
            here = {key: payload for key, payload in found.items() if payload is not None}
        rest = await self._do(reads.get_many(layers, [key for key in wanted if key not in here]))
        merged = here | rest
        return {key: self._loads(merged[key]) for key in wanted if key in merged}

    async def exists(self, key: str) -> bool:
        return await self._do(reads.exists(self._layers, key))

    async def ttl(self, key: str) -> float | None:
        """Say for how many seconds a value is still fresh; None where there is none."""
        return await self._do(reads.left(self._layers, key))

    # Writing.

    async def set(
        self,
        key: str,
        value: Any,  # noqa: ANN401 - a value is anything
        ttl: float | str | None = None,
        *,
        stale: float = 0.0,
    ) -> bool:
        """Store for `ttl`: seconds or a name such as "news". True when every layer has it."""
        return await self.set_many({key: value}, ttl, stale=stale)

    async def set_many(
        self, values: Mapping[str, Any], ttl: float | str | None = None, *, stale: float = 0.0
    ) -> bool:
        life = Life(self._layers.seconds(ttl), stale)
        return await self._do(writes.set_many(self._layers, values, life))

    async def delete(self, *keys: str) -> int:
        """Delete everywhere; say how many were there."""
        return await self._do(writes.delete(self._layers, keys))

    async def delete_pattern(self, pattern: str) -> int:
        """Delete what matches a glob of Redis, in every process, without stalling the server."""
        return await self._do(writes.delete_pattern(self._layers, pattern))

    async def clear(self) -> int:
        return await self.delete_pattern("*")

    async def expire(self, key: str, ttl: float | str) -> bool:
        return await self._do(writes.expire(self._layers, key, self._layers.seconds(ttl)))

    async def incr(self, key: str, by: int = 1, *, ttl: float | str | None = None) -> int:
        """Count for all processes; a new number lives for `ttl`, an old one keeps its time."""
        return await self._do(writes.count(self._layers, key, by, self._layers.seconds(ttl)))

    # Computing.

    async def get_or_set(
        self,
        key: str,
        factory: Factory,
        ttl: float | str | None = None,
        *,
        stale: float = 0.0,
        early: float = 0.0,
    ) -> Any:  # noqa: ANN401 - a value is anything
        """Take a value, or compute it: once, however many tasks and processes ask.

        `stale`: for so many seconds after its time it is served while it is renewed behind the
        scenes. `early`: 1 renews by chance shortly before its end, more is earlier.
        """
        layers = self._layers
        life = Life(layers.seconds(ttl), stale, early)
        entry = layers.memory.lookup(key) if layers.near else None
        if entry is not None and (stale or entry.fresh_until > layers.now()):
            due = (stale or early) and is_due(entry, layers.now(), early)
            return self._value(Outcome(entry.value, stale=bool(due)), key, factory, life)
        outcome = await self._flights.once(
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
    ) -> Callable[[Callable[P, Awaitable[T]]], Callable[P, Awaitable[T]]]:
        """Cache a coroutine function or method by its arguments, or by what `key` makes of them."""

        def decorate(function: Callable[P, Awaitable[T]]) -> Callable[P, Awaitable[T]]:
            refuse_coroutine(function, wanted=True)
            make = key_of(function, prefix, key)

            @functools.wraps(function)
            async def wrapper(*args: P.args, **kwargs: P.kwargs) -> T:
                answer: T = await self.get_or_set(
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

    def declare(self, key: str, factory: Factory, ttl: float | str | None = None) -> None:
        """Name a value that `warm_up` is to have ready."""
        self._declared.append(Declared(key, factory, ttl))

    async def warm_up(self) -> WarmReport:
        """Have every declared value ready; one that fails is said and harms no other."""
        warmth = Warmth()
        for one in self._declared:
            with warmth.of(one.key):
                await self.get_or_set(one.key, one.factory, one.ttl)
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

    async def close(self) -> None:
        """Say a last time what was done, and stop listening."""
        if self._reporter is not None:
            self._reporter.cancel()
            await asyncio.wait({self._reporter})
            if not self._layers.away:
                await self._report(ended=True)
        for task in self._renewals:
            task.cancel()
        if self._listener is not None:
            await self._listener.close()
        for client in self._owned:
            await client.close()

    def _value(self, outcome: Outcome, key: str, factory: Factory, life: Life) -> Any:  # noqa: ANN401 - a value is anything
        due = outcome.stale and len(self._renewals) < _MOST_RENEWALS
        if due and not self._flights.busy(key):
            task = asyncio.create_task(self._renew(key, factory, life))
            self._renewals.add(task)
            task.add_done_callback(self._renewals.discard)
        if outcome.payload is None:
            return outcome.value
        return self._loads(outcome.payload)

    async def _renew(self, key: str, factory: Factory, life: Life) -> None:
        async def lead(flight: TaskFlight) -> Outcome:
            steps = renew(self._layers, key, life, flight)
            return await self._do(steps, factory, flight) or Outcome(None)

        try:
            await self._flights.start(key, lead)
        except Exception:
            # The user's own factory; the old value goes on serving.
            log.exception("a value could not be renewed", extra={"key": key})

    async def _do(
        self,
        steps: Steps[T],
        factory: Factory | None = None,
        flight: TaskFlight | None = None,
    ) -> T:
        """Carry out steps one by one; what goes wrong with one is told to the logic."""
        try:
            effect = next(steps)
            while True:
                try:
                    answer = await self._perform(effect, factory, flight)
                except BaseException as error:  # noqa: BLE001 - the logic decides, and raises
                    effect = steps.throw(error)
                else:
                    effect = steps.send(answer)
        except StopIteration as done:
            return done.value  # type: ignore[no-any-return]  # StopIteration has no type

    async def _perform(
        self, effect: Effect, factory: Factory | None, flight: TaskFlight | None
    ) -> Any:  # noqa: ANN401 - as many answers as effects
        if isinstance(effect, Compute) and factory is not None:
            made = factory()
            return await made if inspect.isawaitable(made) else made
        if isinstance(effect, Pause) and flight is not None:
            return await flight.pause(effect.seconds)
        return await self._ask(effect)

    async def _ask(self, effect: Effect) -> Any:  # noqa: ANN401 - same
        client = self._client
        if client is None:
            raise UsageError("this cache has no Redis")
        if self._reporter is None:
            self._start(client)
        if not client.available:
            # Fails at once; the breaker is for a Redis that is thought to be there.
            return await client.calls([("PING",)])
        if isinstance(effect, Ask):
            if len(effect.commands) == 1:
                return [await self._breaker.acall(client.call, *effect.commands[0])]
            return await self._breaker.acall(client.calls, effect.commands)
        return await self._breaker.acall(client.run, effect.script, effect.keys, effect.args)  # type: ignore[union-attr]  # what is left is Run

    def _look(self, client: "AsyncClient") -> None:
        """See whether Redis is there, in the eyes of the connection and of the breaker."""
        there = client.available and self._breaker.state is not State.OPEN
        if there is self._layers.away:
            self._layers.changed(there=there)

    def _start(self, client: "AsyncClient") -> None:
        """Begin to listen and to report with the first word to Redis."""
        if not client.enabled:
            return
        if self._layers.backend is Backend.LAYERED:
            self._listener = client.listen(
                lambda message: self._layers.heard(message.data),
                channels=(self._layers.names.channel,),
                on_gap=self._layers.gap,
                on_lost=self._layers.lost,
            )
        self._reporter = asyncio.create_task(self._reports())

    async def _reports(self) -> None:
        while True:
            try:
                async with asyncio.timeout(self._layers.limits.report_every_s):
                    await self._asked.wait()
            except TimeoutError:
                pass
            self._asked.clear()
            if not self._layers.away:
                await self._report()

    async def _report(self, *, ended: bool = False) -> None:
        service = self._client.service if self._client else ""
        try:
            await self._do(publish(self._layers, service, ended=ended))
        except OpsctlError as error:
            log.debug("cache report failed", extra={"what": error.what})
