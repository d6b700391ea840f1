"""Concurrency in threads; `tasks` has the same names for an event loop."""

import threading
from collections.abc import Callable
from typing import Protocol

_LONGEST_STOP_S = 5.0
Work = Callable[[], None]
Lock = threading.Lock


class TimedEvent(threading.Event):
    def wait_for(self, timeout_s: float) -> bool:
        """Wait until it is set; False when that took too long."""
        return self.wait(timeout_s)


class BackgroundJob:
    """A function that runs in a daemon thread of its own until it ends or is stopped."""

    startable = True

    def __init__(self, name: str) -> None:
        self._name = name
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()

    @property
    def stopping(self) -> bool:
        """Whether the job should end; it asks between two steps."""
        return self._stopping.is_set()

    @property
    def running(self) -> bool:
        """False also in a forked child, where the thread does not exist."""
        return self._thread is not None and self._thread.is_alive()

    def start(self, work: Work) -> None:
        self._stopping.clear()
        self._thread = threading.Thread(target=work, name=self._name, daemon=True)
        self._thread.start()

    def pause(self, seconds: float) -> bool:
        """Sleep within the job; True when it is to end instead of going on."""
        return self._stopping.wait(seconds)

    def stop(self, wake: Callable[[], object] | None = None) -> None:
        """Ask the thread to end, wake it from what it waits for, and wait for its end."""
        self._stopping.set()
        if wake is not None:
            wake()
        thread = self._thread
        if thread is not None and thread is not threading.current_thread() and thread.is_alive():
            thread.join(timeout=_LONGEST_STOP_S)


class BackgroundPool:
    """Short jobs, at most `most` at a time."""

    def __init__(self, name: str, *, most: int) -> None:
        self._name = name
        self._free = threading.BoundedSemaphore(most)

    def start(self, work: Work) -> bool:
        """Run a job in the background; False when all places are taken."""
        if not self._free.acquire(blocking=False):
            return False
        threading.Thread(target=self._run, args=(work,), name=self._name).start()
        return True

    def stop(self) -> None:
        """Do nothing: running jobs end by themselves, and the interpreter waits for them."""

    def _run(self, work: Work) -> None:
        try:
            work()
        finally:
            self._free.release()


class Interruptible(Protocol):
    def interrupt(self) -> None: ...


def interrupt(blocked: Interruptible) -> None:
    """Make what another thread waits for fail now."""
    blocked.interrupt()
