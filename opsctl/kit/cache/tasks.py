"""One computation a key in this process, for event loops: the others wait for its outcome."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from opsctl.kit.cache.fill import Flight, Outcome

# After so many failures of others, their error is ours: the factory is broken, not unlucky.
_OTHERS_FAILURES = 2

Lead = Callable[["TaskFlight"], Coroutine[Any, Any, Outcome]]


class TaskFlight(Flight):
    def __init__(self) -> None:
        self.changed = asyncio.Event()
        self.task: asyncio.Task[Outcome] | None = None

    def wake(self) -> None:
        self.changed.set()

    async def pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self.changed.wait()
        except TimeoutError:
            return
        self.changed.clear()


class TaskFlights:
    """Forgets a key as soon as it is done; a caller who is cancelled stops nobody else's value."""

    def __init__(self, waiting: dict[str, TaskFlight], wait_s: float) -> None:
        self._waiting = waiting
        self._wait_s = wait_s

    async def once(self, key: str, lead: Lead) -> Outcome:
        """Lead, or wait for who leads; another's failure lets us try ourselves."""
        for turn in range(_OTHERS_FAILURES + 1):
            flight = self._waiting.get(key)
            leads = flight is None
            task = self.start(key, lead) if flight is None else flight.task
            if task is None:
                break
            # Not awaited itself: our cancellation is not its.
            done, _ = await asyncio.wait({task}, timeout=None if leads else self._wait_s)
            if not done:
                break
            if not task.cancelled() and task.exception() is None:
                return task.result()
            if leads or (turn == _OTHERS_FAILURES - 1 and not task.cancelled()):
                return task.result()
        return await lead(TaskFlight())

    def start(self, key: str, lead: Lead) -> asyncio.Task[Outcome]:
        flight = self._waiting[key] = TaskFlight()
        flight.task = asyncio.create_task(lead(flight))
        flight.task.add_done_callback(lambda task: self._ended(key, task))
        return flight.task

    def busy(self, key: str) -> bool:
        return key in self._waiting

    def _ended(self, key: str, task: asyncio.Task[Outcome]) -> None:
        self._waiting.pop(key, None)
        if not task.cancelled():
            # Looked at, so that a failure whose callers are gone is not an error of the loop.
            task.exception()
