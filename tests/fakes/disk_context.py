"""What `opsctl disk` works with, on a real store and real files; the rest is set by hand."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from opsctl.disk.model import RetainReport
from opsctl.disk.retention.retain import retain_logs
from opsctl.notify.deliver import MessageSender, RetryPolicy
from opsctl.notify.notifier import Notifier, NotifierOptions
from opsctl.notify.plan import NotifyRules
from opsctl.progress import NoProgress
from opsctl.settings import Settings
from opsctl.settings.sections.notify import Route
from opsctl.state import Locks, Store, open_store
from opsctl.state.model import Actor
from opsctl.systems.clock import Clock
from opsctl.systems.files.folder_sizes import LocalFolders
from opsctl.systems.files.local import LocalFiles
from opsctl.systems.host import Host, PsutilHost
from opsctl.systems.removal.tree import LocalTrees, Trees
from opsctl.systems.removal.workers import LocalRemovalWorkers
from opsctl.systems.sqlite.database import SqliteDatabases
from tests.fakes.channel import KeptChannel
from tests.fakes.clock import HandClock
from tests.fakes.containers import MemoryContainers

REAL_NOW = datetime.now(UTC)


@dataclass(slots=True)
class FakeDiskContext:
    state_directory: Path
    settings: Settings
    clock: Clock = field(default_factory=lambda: HandClock(REAL_NOW))
    host: Host = field(default_factory=lambda: PsutilHost({}))
    channel: KeptChannel = field(default_factory=KeptChannel)
    containers: MemoryContainers = field(default_factory=lambda: MemoryContainers(is_away=True))
    _trees: Trees | None = None
    _store: Store | None = None
    _notifier: Notifier | None = None

    @property
    def trees(self) -> Trees:
        return self._trees or LocalTrees(self.clock)

    @trees.setter
    def trees(self, trees: Trees) -> None:
        self._trees = trees

    @property
    def removal_workers(self) -> LocalRemovalWorkers:
        return LocalRemovalWorkers(self.clock, count=self.settings.retention.workers)

    @property
    def folders(self) -> LocalFolders:
        return LocalFolders(self.clock)

    @property
    def store(self) -> Store:
        if self._store is None:
            databases = SqliteDatabases(LocalFiles(), HandClock())
            self._store = open_store(self.state_directory, databases)
        return self._store

    @property
    def notifier(self) -> Notifier:
        if self._notifier is None:
            self._notifier = notifier(
                lambda: self.store, self.channel, self.clock, self.state_directory
            )
        return self._notifier

    def retain(self, *, is_dry: bool = False, trust_clock: bool = False) -> RetainReport:
        return retain_logs(
            self, run="run", is_dry=is_dry, trust_clock=trust_clock, progress=NoProgress()
        )

    def close(self) -> None:
        if self._store is not None:
            self._store.close()


def notifier(
    store: Callable[[], Store], channel: KeptChannel, clock: Clock, locks: Path, **retry_policy: Any
) -> Notifier:
    waits = {"timeout_s": 5.0, "first_wait_s": 5.0, "max_wait_s": 900.0, "max_rejections": 3}
    sender = MessageSender(
        lambda: store().deliveries,
        [channel],
        locks=Locks(locks, LocalFiles(), HandClock(), Actor("op", "box", 1)),
        clock=clock,
        retry_policy=RetryPolicy(**{**waits, "keep": timedelta(days=30), **retry_policy}),
    )
    rules = NotifyRules(timedelta(hours=1), None, ZoneInfo("UTC"))
    routes = (Route("info", "*", (channel.name,)),)
    options = NotifierOptions(rules, routes, "stack prod box", lambda text: text)
    return Notifier(lambda: store().deliveries, sender, options=options, clock=clock)
