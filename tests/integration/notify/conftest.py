"""Notifiers on a real store, whose clock is turned by hand."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from opsctl.notify.notifier import Notifier
from opsctl.state import Store, open_store
from opsctl.systems.files.local import LocalFiles
from opsctl.systems.sqlite.database import SqliteDatabases
from tests.fakes.channel import KeptChannel
from tests.fakes.clock import HandClock
from tests.fakes.disk_context import notifier as make_notifier


@pytest.fixture
def clock() -> HandClock:
    return HandClock(datetime(2026, 3, 10, 3, tzinfo=UTC))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path / "state", SqliteDatabases(LocalFiles(), HandClock())) as store:
        yield store


@pytest.fixture
def channel() -> KeptChannel:
    return KeptChannel()


@pytest.fixture
def notifier(store: Store, channel: KeptChannel, clock: HandClock, tmp_path: Path) -> Notifier:
    return make_notifier(lambda: store, channel, clock, tmp_path / "state")
