"""Time: the wall for people, a steady count for durations, and the only sleep."""

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    def now(self) -> datetime:
        """Return the wall time, in UTC."""
        ...

    def steady(self) -> float:
        """Count seconds that no one can set back, suspend included."""
        ...

    def sleep(self, seconds: float) -> None: ...


class AsyncClock(Clock, Protocol):
    async def rest(self, seconds: float) -> None:
        """Sleep without blocking the event loop."""
        ...


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)

    def steady(self) -> float:
        # CLOCK_MONOTONIC stands still while a laptop sleeps; a silence of 60 s must not.
        return time.clock_gettime(time.CLOCK_BOOTTIME)

    def sleep(self, seconds: float) -> None:
        time.sleep(max(0.0, seconds))

    async def rest(self, seconds: float) -> None:
        import asyncio  # noqa: PLC0415 - a tenth of our start, and only event loops rest

        await asyncio.sleep(max(0.0, seconds))
