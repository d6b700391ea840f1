"""A clock turned by hand: sleeping moves it and takes no time."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta


@dataclass(slots=True)
class HandClock:
    wall: datetime = datetime(2026, 1, 12, tzinfo=UTC)
    count: float = 0.0

    def now(self) -> datetime:
        return self.wall

    def steady(self) -> float:
        return self.count

    def sleep(self, seconds: float) -> None:
        self.wall += timedelta(seconds=seconds)
        self.count += seconds
