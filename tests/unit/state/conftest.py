"""A real store in a fresh directory, and a clock that turns only when it is slept on."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from opsctl.state import Store, open_store
from opsctl.state.model import Actor
from opsctl.systems.files.local import LocalFiles
from opsctl.systems.sqlite.database import SqliteDatabases


class TurningClock:
    def __init__(self) -> None:
        self._start = datetime(2026, 1, 31, 9, 30, tzinfo=UTC)
        self.slept_s = 0.0

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self.slept_s)

    def steady(self) -> float:
        return self.slept_s

    def sleep(self, seconds: float) -> None:
        self.slept_s += seconds


@pytest.fixture
def clock() -> TurningClock:
    return TurningClock()


@pytest.fixture
def actor() -> Actor:
    return Actor(user="op", host="box", pid=4242, sudo_user=None)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "state"


@pytest.fixture
def databases(clock: TurningClock) -> SqliteDatabases:
    return SqliteDatabases(LocalFiles(), clock)


@pytest.fixture
def store(directory: Path, databases: SqliteDatabases) -> Iterator[Store]:
    with open_store(directory, databases) as store:
        yield store
