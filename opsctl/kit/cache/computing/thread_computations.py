"""Computes each key once in this process, for threads; `task_computations` has the same names."""

import inspect
import threading
from collections.abc import Callable
from typing import Any

from opsctl.errors import UsageError
from opsctl.kit.cache.computing.fill import Computation, FillResult

# After this many failures of others, raise their error: the factory is broken, not unlucky.
_MOST_FAILURES_OF_OTHERS = 2

Factory = Callable[[], Any]
Compute = Callable[["RunningComputation"], FillResult]


class RunningComputation(Computation):
    def __init__(self) -> None:
        self.done = threading.Event()
        self.changed = threading.Event()
        self.result: FillResult | None = None
        self.error: BaseException | None = None

    def wake(self) -> None:
        self.changed.set()

    def wait_for_change(self, seconds: float) -> None:
        self.changed.wait(seconds)
        self.changed.clear()


class Computations:
    """Forgets a key once it is computed: nothing grows with the number of keys."""

    def __init__(self, wait_s: float) -> None:
        self.running: dict[str, RunningComputation] = {}
        self._wait_s = wait_s
        self._lock = threading.Lock()

    def restart(self) -> None:
        """Forget the threads of the parent, which do not exist in a forked child."""
        self.running.clear()
        self._lock = threading.Lock()

    def compute_once(self, key: str, compute: Compute) -> FillResult:
        """Compute a value, or wait for whoever does; after a failure of theirs, try again."""
        for attempt in range(_MOST_FAILURES_OF_OTHERS + 1):
            ours = RunningComputation()
            with self._lock:
                computation = self.running.setdefault(key, ours)
            if computation is ours:
                return self._run(key, ours, compute)
            if not computation.done.wait(self._wait_s):
                break
            if computation.result is not None:
                return computation.result
            last = attempt == _MOST_FAILURES_OF_OTHERS - 1
            if last and isinstance(computation.error, Exception):
                raise computation.error
        return compute(RunningComputation())

    def compute_if_idle(self, key: str, compute: Compute) -> None:
        """Compute a value unless somebody already does."""
        with self._lock:
            if key in self.running:
                return
            ours = self.running[key] = RunningComputation()
        self._run(key, ours, compute)

    def _run(self, key: str, computation: RunningComputation, compute: Compute) -> FillResult:
        try:
            computation.result = compute(computation)
        except BaseException as error:
            computation.error = error
            raise
        finally:
            with self._lock:
                self.running.pop(key, None)
            computation.done.set()
        return computation.result


def call_factory(factory: Factory) -> Any:  # noqa: ANN401 - a value is anything
    return factory()


def require_right_kind(function: Callable[..., Any]) -> None:
    """Refuse a coroutine function in `cached`: its coroutine would be stored, not its value."""
    if inspect.iscoroutinefunction(function):
        raise UsageError(
            f"cannot cache {function.__qualname__} with Cache",
            why="it is a coroutine function",
            hint="Use AsyncCache.cached.",
        )
