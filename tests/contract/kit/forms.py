"""The sync and the async form of a part behind one set of words."""

import asyncio
import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class Form:
    """Awaits what is to be awaited, on a loop of its own."""

    def __init__(self, part: Any, runner: asyncio.Runner | None) -> None:
        self.part = part
        self._runner = runner

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.part, name)
        if self._runner is None or not inspect.iscoroutinefunction(found):
            return found

        def call(*args: Any, **kwargs: Any) -> Any:
            assert self._runner is not None
            return self._runner.run(found(*args, **kwargs))

        return call

    def settle(self) -> None:
        """Let the loop do what it has been told in the meantime."""
        if self._runner is not None:
            self._runner.run(asyncio.sleep(0.02))


@contextmanager
def loop(kind: str) -> Iterator[asyncio.Runner | None]:
    if kind == "sync":
        yield None
        return
    with asyncio.Runner() as runner:
        yield runner


def make(runner: asyncio.Runner | None, build: Any) -> Any:
    """Build inside the loop: async parts belong to the one they are made in."""
    if runner is None:
        return build()

    async def inside() -> Any:
        return build()

    return runner.run(inside())
