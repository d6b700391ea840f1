# Generated from opsctl/kit/cache/async_connection.py by `make unasync`: edit that file instead.
"""The connection of a cache to Redis: behind a breaker, with a listener and a reporter."""

from typing import TYPE_CHECKING, Any, TypeVar

from opsctl.errors import OpsctlError, UsageError
from opsctl.kit.breaker import Breaker, BreakerState
from opsctl.kit.cache.computing.thread_computations import (
    Factory,
    RunningComputation,
    call_factory,
)
from opsctl.kit.cache.model import Backend
from opsctl.kit.cache.reports import publish_report
from opsctl.kit.cache.state import CacheState
from opsctl.kit.concurrency.threads import BackgroundJob, Lock, TimedEvent
from opsctl.kit.redis.effects import CallFactory, Effect, Effects, SendCommands, WaitForChange
from opsctl.logs import logger

if TYPE_CHECKING:
    from opsctl.kit.redis.client import RedisClient
    from opsctl.kit.redis.listener import Listener

log = logger(__name__)

T = TypeVar("T")


class CacheConnection:
    """Starts to listen and to report with the first request to Redis."""

    def __init__(self, client: "RedisClient | None", state: CacheState, breaker: Breaker) -> None:
        self._client = client
        self._state = state
        self._breaker = breaker
        self._listener: Listener | None = None
        self._lock = Lock()
        self._started = False
        self._reporter = BackgroundJob("opsctl-cache-reports")
        self._report_requested = TimedEvent()
        state.on_report_request = self._request_report
        if client is not None and state.uses_redis:
            client.on_change(lambda _: self._update_availability(client))
            breaker.on_change(lambda _: self._update_availability(client))
            self._update_availability(client)

    def run(
        self,
        effects: Effects[T],
        factory: Factory | None = None,
        computation: RunningComputation | None = None,
    ) -> T:
        """Carry out an operation effect by effect; errors are thrown into it, for it to handle."""
        try:
            effect = next(effects)
            while True:
                try:
                    result = self._perform(effect, factory, computation)
                except BaseException as error:  # noqa: BLE001 - the operation decides, and raises
                    effect = effects.throw(error)
                else:
                    effect = effects.send(result)
        except StopIteration as done:
            return done.value  # type: ignore[no-any-return]  # StopIteration has no type

    def close(self) -> None:
        """Publish a last report, and stop listening."""
        reporting = self._reporter.running
        self._reporter.stop(wake=self._request_report)
        if reporting and not self._state.redis_unavailable:
            self._report(ended=True)
        if self._listener is not None:
            self._listener.close()

    def restart(self) -> None:
        """Start over in a forked child, where the listener and the reporter do not exist."""
        self._listener = None
        self._lock = Lock()
        self._started = False
        self._report_requested = TimedEvent()

    def _perform(
        self, effect: Effect, factory: Factory | None, computation: RunningComputation | None
    ) -> Any:  # noqa: ANN401 - as many results as effects
        if isinstance(effect, CallFactory) and factory is not None:
            return call_factory(factory)
        if isinstance(effect, WaitForChange) and computation is not None:
            return computation.wait_for_change(effect.seconds)
        return self._send(effect)

    def _send(self, effect: Effect) -> Any:  # noqa: ANN401 - same
        client = self._client
        if client is None:
            raise UsageError("cannot use Redis", why="this cache has no client")
        if not self._started:
            self._start(client)
        if not client.available:
            # Fails at once; the breaker counts only what fails while Redis seems available.
            return client.calls([("PING",)])
        if isinstance(effect, SendCommands):
            if len(effect.commands) == 1:
                return [self._breaker.call(client.call, *effect.commands[0])]
            return self._breaker.call(client.calls, effect.commands)
        return self._breaker.call(client.run, effect.script, effect.keys, effect.args)  # type: ignore[union-attr]  # only RunScript is left

    def _update_availability(self, client: "RedisClient") -> None:
        """Combine what the client and the breaker know."""
        available = client.available and self._breaker.state is not BreakerState.OPEN
        if available is self._state.redis_unavailable:
            self._state.set_available(available=available)

    def _start(self, client: "RedisClient") -> None:
        with self._lock:
            if self._started or not client.enabled:
                return
            self._started = True
        if self._state.backend is Backend.LAYERED:
            self._listener = client.listen(
                lambda message: self._state.apply_event(message.data),
                channels=(self._state.keys.channel,),
                on_gap=self._state.mark_subscribed,
                on_lost=self._state.mark_unsubscribed,
            )
        self._reporter.start(self._report_regularly)

    def _report_regularly(self) -> None:
        while True:
            self._report_requested.wait_for(self._state.limits.report_every_s)
            self._report_requested.clear()
            if self._reporter.stopping:
                return
            if not self._state.redis_unavailable:
                self._report()

    def _report(self, *, ended: bool = False) -> None:
        service = self._client.service if self._client else ""
        try:
            self.run(publish_report(self._state, service, ended=ended))
        except OpsctlError as error:
            log.debug("cannot report cache statistics", extra={"what": error.what})

    def _request_report(self) -> None:
        self._report_requested.set()
