"""A clock that only moves when a test advances it; sleeping advances it and takes no time."""

import asyncio
import threading
from datetime import UTC, datetime, timedelta


class FakeClock:
    def __init__(self, start: datetime = datetime(2026, 1, 12, tzinfo=UTC)) -> None:
        self._start = start
        self._seconds = 0.0
        self._lock = threading.Lock()

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._seconds)

    def steady(self) -> float:
        return self._seconds

    def advance(self, seconds: float) -> None:
        with self._lock:
            self._seconds += max(0.0, seconds)

    def sleep(self, seconds: float) -> None:
        self.advance(seconds)

    async def rest(self, seconds: float) -> None:
        self.advance(seconds)
        await asyncio.sleep(0)
