"""Concurrency on an event loop; `threads` has the same names for threads."""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from typing import Any

Work = Callable[[], Coroutine[Any, Any, None]]


class Lock(contextlib.nullcontext[None]):
    """Does nothing: no other task runs between two awaits, and nobody awaits under this lock."""


class TimedEvent(asyncio.Event):
    async def wait_for(self, timeout_s: float) -> bool:
        """Wait until it is set; False when that took too long."""
        try:
            async with asyncio.timeout(timeout_s):
                return await self.wait()
        except TimeoutError:
            return False


class BackgroundJob:
    """A coroutine function that runs in a task of its own until it ends or is stopped."""

    stopping = False
    """A task is stopped by cancelling it, so it never has to ask."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._task: asyncio.Task[None] | None = None

    @property
    def startable(self) -> bool:
        """Whether there is an event loop to run on."""
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return False
        return True

    @property
    def running(self) -> bool:
        """False also when the event loop of the task is gone."""
        task = self._task
        return task is not None and not task.done() and not task.get_loop().is_closed()

    def start(self, work: Work) -> None:
        self._task = asyncio.create_task(work(), name=self._name)

    async def pause(self, seconds: float) -> bool:
        """Sleep within the job; True when it is to end instead of going on."""
        await asyncio.sleep(seconds)
        return self.stopping

    async def stop(self, wake: Callable[[], object] | None = None) -> None:  # noqa: ARG002 - threads need it
        """Cancel the task and wait for its end."""
        task, self._task = self._task, None
        if task is None or task.done() or task.get_loop() is not asyncio.get_running_loop():
            return
        task.cancel()
        await asyncio.wait({task})


class BackgroundPool:
    """Short jobs, at most `most` at a time."""

    def __init__(self, name: str, *, most: int) -> None:
        self._name = name
        self._most = most
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, work: Work) -> bool:
        """Run a job in the background; False when all places are taken."""
        if len(self._tasks) >= self._most:
            return False
        task = asyncio.create_task(work(), name=self._name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return True

    def stop(self) -> None:
        for task in self._tasks:
            task.cancel()


def interrupt(blocked: object) -> None:
    """Do nothing: cancelling a task ends what it waits for."""
