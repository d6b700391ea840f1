"""Deadlines of calls that have none of their own."""

import threading
from collections.abc import Callable
from typing import Generic, Self, TypeVar

from opsctl.systems.clock import Clock
from opsctl.value import Value

_A_MOMENT_S = 0.001

Result = TypeVar("Result")


class Deadline(Value):
    """The time by which one call as a whole must have ended."""

    clock: Clock
    limit_s: float
    ends_at: float

    @classmethod
    def after(cls, clock: Clock, limit_s: float) -> Self:
        return cls(clock, limit_s, clock.steady() + limit_s)

    def left_s(self) -> float:
        """Return the remaining seconds; never 0, which sockets take for "do not wait"."""
        return max(_A_MOMENT_S, self.ends_at - self.clock.steady())

    def passed(self) -> bool:
        return self.clock.steady() >= self.ends_at


def within(deadline: Deadline, call: Callable[[], Result]) -> Result:
    """Wait for a call that has no deadline of its own; raise TimeoutError if it is late."""
    return PendingCall(deadline, call)()


class PendingCall(Generic[Result]):
    """A call in progress in another thread; calling this waits for its result."""

    def __init__(self, deadline: Deadline, call: Callable[[], Result]) -> None:
        self._deadline = deadline
        self._outcomes: list[tuple[Result | None, Exception | None]] = []
        # A daemon: the system's resolver cannot be interrupted, and must not hold up the end.
        self._thread = threading.Thread(target=_run, args=(call, self._outcomes), daemon=True)
        self._thread.start()

    def __call__(self) -> Result:
        return self.within(self._deadline)

    def within(self, deadline: Deadline) -> Result:
        self._thread.join(deadline.left_s())
        if not self._outcomes:
            raise TimeoutError(f"no answer within {deadline.limit_s:g} s")
        result, error = self._outcomes[0]
        if error is not None:
            raise error
        return result  # type: ignore[return-value]  # no error, so this is what the call returned


def _run(
    call: Callable[[], Result], outcomes: list[tuple[Result | None, Exception | None]]
) -> None:
    try:
        outcomes.append((call(), None))
    except Exception as error:  # noqa: BLE001  # carried to the caller's thread, raised there
        outcomes.append((None, error))
