"""`Breaker`: stops calling what keeps failing, and probes it with one call at a time."""

import functools
import inspect
import logging
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import ParamSpec, TypeVar

from opsctl.errors import BusyError, OpsctlError, UnreachableError
from opsctl.kit import adapters
from opsctl.kit.errors import BreakerOpenError
from opsctl.logs import logger
from opsctl.systems.clock import Clock

log = logger(__name__)

P = ParamSpec("P")
T = TypeVar("T")

FAILURES: tuple[type[BaseException], ...] = (UnreachableError, OSError, TimeoutError)


class BreakerState(StrEnum):
    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


@dataclass(slots=True)
class GuardedCall:
    """One call through the breaker, which can be marked as failed without raising."""

    failure: str = ""

    def mark_failed(self, why: str) -> None:
        self.failure = why


@dataclass(frozen=True, slots=True)
class BreakerChange:
    breaker: str
    before: BreakerState
    after: BreakerState
    why: str


class Breaker:
    """Holds no lock during a call. BusyError never counts: that is our own limit, not a failure."""

    def __init__(
        self,
        name: str,
        *,
        threshold: int = 5,
        recovery_s: float = 60.0,
        failures: tuple[type[BaseException], ...] = FAILURES,
        clock: Clock | None = None,
    ) -> None:
        self.name = name
        self._threshold = threshold
        self._recovery_s = recovery_s
        self._failure_types = failures
        self._clock = clock or adapters.system_clock()
        self._callbacks: list[Callable[[BreakerChange], None]] = []
        self._lock = threading.Lock()
        self._state = BreakerState.CLOSED
        self._failures = 0
        self._opened_at = 0.0
        # Calls that began before the last change are ignored after it.
        self._generation = 0

    @property
    def state(self) -> BreakerState:
        return self._state

    @property
    def retry_after_s(self) -> float:
        """How long until an open breaker lets a call through; 0 when it does now."""
        if self._state is BreakerState.CLOSED:
            return 0.0
        return max(0.0, self._opened_at + self._recovery_s - self._clock.steady())

    def on_change(self, callback: Callable[[BreakerChange], None]) -> None:
        """Call back on every change of state; be quick, the caller waits."""
        self._callbacks.append(callback)

    def allows(self) -> bool:
        """Whether a call would be let through now; does not count as one."""
        if self._state is BreakerState.OPEN:
            return self.retry_after_s <= 0
        return self._state is BreakerState.CLOSED

    def call(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        with self.guard():
            return function(*args, **kwargs)

    async def acall(
        self, function: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        with self.guard():
            return await function(*args, **kwargs)

    @contextmanager
    def guard(self) -> Iterator[GuardedCall]:
        """Guard one call, sync or async; BreakerOpenError when it may not be made."""
        generation = self._enter()
        guarded = GuardedCall()
        try:
            yield guarded
        except BusyError:
            self._cancel(generation)
            raise
        except self._failure_types as error:
            self._leave(generation, _describe_failure(error))
            raise
        except Exception:
            # It answered, if only with an error.
            self._leave(generation)
            raise
        except BaseException:
            # Cancelled or interrupted: that says nothing about what was called.
            self._cancel(generation)
            raise
        self._leave(generation, guarded.failure)

    def __call__(self, function: Callable[P, T]) -> Callable[P, T]:
        """Guard every call of a function or coroutine function."""
        return _guarded(self, function)

    def _enter(self) -> int:
        with self._lock:
            if self._state is not BreakerState.CLOSED:
                self._require_probe()
                change = self._set_state(BreakerState.HALF_OPEN, "it is probed")
            else:
                change = None
            generation = self._generation
        self._report(change)
        return generation

    def _require_probe(self) -> None:
        if self._state is BreakerState.HALF_OPEN or self.retry_after_s > 0:
            raise BreakerOpenError(
                f"cannot call {self.name}",
                why="it failed too often and is being probed"
                if self._state is BreakerState.HALF_OPEN
                else f"it failed {self._threshold} times in a row",
                retry_after_s=self.retry_after_s,
            )

    def _leave(self, generation: int, failure: str = "") -> None:
        if not failure and self._failures == 0 and self._state is BreakerState.CLOSED:
            return
        with self._lock:
            change = self._count(failure) if generation == self._generation else None
        self._report(change)

    def _count(self, failure: str) -> BreakerChange | None:
        if not failure:
            self._failures = 0
            if self._state is BreakerState.CLOSED:
                return None
            return self._set_state(BreakerState.CLOSED, "it answered")
        self._failures += 1
        if self._state is BreakerState.CLOSED and self._failures < self._threshold:
            return None
        self._opened_at = self._clock.steady()
        return self._set_state(BreakerState.OPEN, failure)

    def _cancel(self, generation: int) -> None:
        with self._lock:
            # The recovery time is over already: the next caller may probe at once.
            probing = generation == self._generation and self._state is BreakerState.HALF_OPEN
            change = (
                self._set_state(BreakerState.OPEN, "the probe was cancelled") if probing else None
            )
        self._report(change)

    def _set_state(self, after: BreakerState, why: str) -> BreakerChange:
        before, self._state = self._state, after
        self._generation += 1
        return BreakerChange(self.name, before, after, why)

    def _report(self, change: BreakerChange | None) -> None:
        """Outside the lock: a callback may use the breaker."""
        if change is None:
            return
        facts = {"breaker": change.breaker, "before": change.before, "after": change.after}
        level = logging.WARNING if change.after is BreakerState.OPEN else logging.INFO
        log.log(level, "breaker changed", extra={**facts, "why": change.why})
        for callback in tuple(self._callbacks):
            callback(change)


def _describe_failure(error: BaseException) -> str:
    """Name the failure; the messages of foreign exceptions may contain secrets."""
    return error.what if isinstance(error, OpsctlError) else type(error).__name__


def _guarded(breaker: Breaker, function: Callable[P, T]) -> Callable[P, T]:
    if inspect.iscoroutinefunction(function):

        @functools.wraps(function)
        async def guarded_coroutine(*args: P.args, **kwargs: P.kwargs) -> object:
            return await breaker.acall(function, *args, **kwargs)

        return guarded_coroutine  # type: ignore[return-value]  # awaits what T is

    @functools.wraps(function)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> T:
        return breaker.call(function, *args, **kwargs)

    return guarded
