"""Computes each key once in this process, for tasks; `thread_computations` has the same names."""

import asyncio
import inspect
from collections.abc import Callable, Coroutine
from typing import Any

from opsctl.errors import UsageError
from opsctl.kit.cache.computing.fill import Computation, FillResult

# After this many failures of others, raise their error: the factory is broken, not unlucky.
_MOST_FAILURES_OF_OTHERS = 2

Factory = Callable[[], Any]
"""A coroutine function, or a plain one."""
Compute = Callable[["RunningComputation"], Coroutine[Any, Any, FillResult]]


class RunningComputation(Computation):
    def __init__(self) -> None:
        self.changed = asyncio.Event()
        self.task: asyncio.Task[FillResult] | None = None

    def wake(self) -> None:
        self.changed.set()

    async def wait_for_change(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self.changed.wait()
        except TimeoutError:
            return
        self.changed.clear()


class Computations:
    """Forgets a key once it is computed. Cancelling one caller does not cancel the computation."""

    def __init__(self, wait_s: float) -> None:
        self.running: dict[str, RunningComputation] = {}
        self._wait_s = wait_s

    def restart(self) -> None:
        """Forget the tasks of the parent, which do not exist in a forked child."""
        self.running.clear()

    async def compute_once(self, key: str, compute: Compute) -> FillResult:
        """Compute a value, or wait for whoever does; after a failure of theirs, try again."""
        for attempt in range(_MOST_FAILURES_OF_OTHERS + 1):
            computation = self.running.get(key)
            ours = computation is None
            task = self._start(key, compute) if computation is None else computation.task
            if task is None:
                break
            # Waited for rather than awaited: our cancellation must not cancel it.
            done, _ = await asyncio.wait({task}, timeout=None if ours else self._wait_s)
            if not done:
                break
            if not task.cancelled() and task.exception() is None:
                return task.result()
            last = attempt == _MOST_FAILURES_OF_OTHERS - 1
            if ours or (last and not task.cancelled()):
                return task.result()
        return await compute(RunningComputation())

    async def compute_if_idle(self, key: str, compute: Compute) -> None:
        """Compute a value unless somebody already does."""
        if key not in self.running:
            await self._start(key, compute)

    def _start(self, key: str, compute: Compute) -> asyncio.Task[FillResult]:
        computation = self.running[key] = RunningComputation()
        computation.task = asyncio.create_task(compute(computation))
        computation.task.add_done_callback(lambda task: self._finish(key, task))
        return computation.task

    def _finish(self, key: str, task: asyncio.Task[FillResult]) -> None:
        self.running.pop(key, None)
        if not task.cancelled():
            # Retrieved, so that a failure nobody waits for is not reported by the event loop.
            task.exception()


async def call_factory(factory: Factory) -> Any:  # noqa: ANN401 - a value is anything
    value = factory()
    return await value if inspect.isawaitable(value) else value


def require_right_kind(function: Callable[..., Any]) -> None:
    """Refuse a plain function in `cached`: it would become a coroutine function unnoticed."""
    if not inspect.iscoroutinefunction(function):
        raise UsageError(
            f"cannot cache {function.__qualname__} with AsyncCache",
            why="it is not a coroutine function",
            hint="Use Cache.cached.",
        )
