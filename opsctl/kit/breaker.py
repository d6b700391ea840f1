"""`Breaker`: stops calling what keeps failing, and tries it again with one call at a time."""

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
from opsctl.kit import parts
from opsctl.kit.errors import BreakerOpenError
from opsctl.logs import logger
from opsctl.systems.clock import Clock

log = logger(__name__)

P = ParamSpec("P")
T = TypeVar("T")

FAILURES: tuple[type[BaseException], ...] = (UnreachableError, OSError, TimeoutError)


class State(StrEnum):
    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


@dataclass(slots=True)
class Attempt:
    """One guarded call, which can say that it failed without raising."""

    why_failed: str = ""

    def failed(self, why: str) -> None:
        self.why_failed = why


@dataclass(frozen=True, slots=True)
class Change:
    breaker: str
    before: State
    after: State
    why: str


class Breaker:
    """No lock is held during a call. BusyError never counts: it is ours, not the other's."""

    def __init__(
        self,
        name: str,
        *,
        threshold: int = 5,
        recovery_s: float = 60.0,
        counts: tuple[type[BaseException], ...] = FAILURES,
        clock: Clock | None = None,
    ) -> None:
        self.name = name
        self._threshold = threshold
        self._recovery_s = recovery_s
        self._counts = counts
        self._clock = clock or parts.system_clock()
        self._listeners: list[Callable[[Change], None]] = []
        self._lock = threading.Lock()
        self._state = State.CLOSED
        self._failures = 0
        self._opened_at = 0.0
        # Calls that began before the last change have no say after it.
        self._turn = 0

    @property
    def state(self) -> State:
        return self._state

    @property
    def retry_after_s(self) -> float:
        """How long until an open breaker lets a call through; 0 when it does now."""
        if self._state is State.CLOSED:
            return 0.0
        return max(0.0, self._opened_at + self._recovery_s - self._clock.steady())

    def on_change(self, listener: Callable[[Change], None]) -> None:
        """Be told of every change; keep it short, the caller waits."""
        self._listeners.append(listener)

    def allows(self) -> bool:
        """Say whether a call would be let through now; takes no place."""
        if self._state is State.OPEN:
            return self.retry_after_s <= 0
        return self._state is State.CLOSED

    def call(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        with self.attempt():
            return function(*args, **kwargs)

    async def acall(
        self, function: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        with self.attempt():
            return await function(*args, **kwargs)

    @contextmanager
    def attempt(self) -> Iterator[Attempt]:
        """Guard one call, awaited or not; BreakerOpenError when there is none to be made."""
        turn = self._enter()
        attempt = Attempt()
        try:
            yield attempt
        except BusyError:
            self._give_back(turn)
            raise
        except self._counts as error:
            self._leave(turn, _told(error))
            raise
        except Exception:
            # It answered, if only to refuse.
            self._leave(turn)
            raise
        except BaseException:
            # Cancelled or interrupted: nothing was learnt.
            self._give_back(turn)
            raise
        self._leave(turn, attempt.why_failed)

    def __call__(self, function: Callable[P, T]) -> Callable[P, T]:
        """Guard every call of a function, a coroutine function too."""
        return _guarded(self, function)

    def _enter(self) -> int:
        with self._lock:
            if self._state is not State.CLOSED:
                self._take_probe()
                change = self._become(State.HALF_OPEN, "it is tried again")
            else:
                change = None
            turn = self._turn
        self._tell(change)
        return turn

    def _take_probe(self) -> None:
        if self._state is State.HALF_OPEN or self.retry_after_s > 0:
            raise BreakerOpenError(
                f"{self.name} is not called",
                why="it failed too often and is being tried"
                if self._state is State.HALF_OPEN
                else f"it failed {self._threshold} times in a row",
                retry_after_s=self.retry_after_s,
            )

    def _leave(self, turn: int, failure: str = "") -> None:
        if not failure and self._failures == 0 and self._state is State.CLOSED:
            return
        with self._lock:
            change = self._judge(failure) if turn == self._turn else None
        self._tell(change)

    def _judge(self, failure: str) -> Change | None:
        if not failure:
            self._failures = 0
            return (
                None if self._state is State.CLOSED else self._become(State.CLOSED, "it answered")
            )
        self._failures += 1
        if self._state is State.CLOSED and self._failures < self._threshold:
            return None
        self._opened_at = self._clock.steady()
        return self._become(State.OPEN, failure)

    def _give_back(self, turn: int) -> None:
        with self._lock:
            # The time is up already: the next caller may probe at once.
            probing = turn == self._turn and self._state is State.HALF_OPEN
            change = self._become(State.OPEN, "the probe was cancelled") if probing else None
        self._tell(change)

    def _become(self, after: State, why: str) -> Change:
        before, self._state = self._state, after
        self._turn += 1
        return Change(self.name, before, after, why)

    def _tell(self, change: Change | None) -> None:
        """Outside the lock: a listener may use the breaker."""
        if change is None:
            return
        facts = {"breaker": change.breaker, "before": change.before, "after": change.after}
        level = logging.WARNING if change.after is State.OPEN else logging.INFO
        log.log(level, "breaker changed", extra={**facts, "why": change.why})
        for listener in tuple(self._listeners):
            listener(change)


def _told(error: BaseException) -> str:
    """Name the failure; what others put into their exceptions may be secret."""
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
