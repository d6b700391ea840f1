"""What a deploy works with: the settings and the systems, each built when first used."""

from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from opsctl.deploy.model import DeployTarget
from opsctl.settings import Settings

if TYPE_CHECKING:
    from opsctl.state.model import Actor
    from opsctl.state.store import Store
    from opsctl.systems.clock import Clock
    from opsctl.systems.engine.compose import Compose
    from opsctl.systems.engine.containers import Containers
    from opsctl.systems.engine.guarded_engine import EngineGuard
    from opsctl.systems.engine.inventory import Inventory
    from opsctl.systems.engine.locks import EngineLocks
    from opsctl.systems.files.contents import FileContents
    from opsctl.systems.files.local import Files
    from opsctl.systems.git.repository import Git
    from opsctl.systems.git.worktree import Sources
    from opsctl.systems.host import Host, Usage
    from opsctl.systems.network.tailnet import Tailnet
    from opsctl.systems.process.run import Processes


class DeployContext(Protocol):
    @property
    def settings(self) -> Settings: ...
    @property
    def target(self) -> DeployTarget: ...
    @property
    def state_directory(self) -> Path: ...
    @property
    def experiment(self) -> str | None: ...
    @property
    def actor(self) -> "Actor": ...
    @property
    def clock(self) -> "Clock": ...
    @property
    def files(self) -> "Files": ...
    @property
    def contents(self) -> "FileContents": ...
    @property
    def host(self) -> "Host": ...
    @property
    def git(self) -> "Git": ...
    @property
    def containers(self) -> "Containers": ...
    @property
    def inventory(self) -> "Inventory": ...
    @property
    def compose(self) -> "Compose": ...
    @property
    def processes(self) -> "Processes": ...
    @property
    def engine_guard(self) -> "EngineGuard": ...
    @property
    def store(self) -> "Store": ...
    @property
    def tailnet(self) -> "Tailnet": ...
    @property
    def engine_locks(self) -> "EngineLocks": ...
    @property
    def sources(self) -> "Sources": ...
    def engine_usage(self, root: Path) -> "Usage | None":
        """Measure the disk that holds the engine's files, on the engine's own machine."""
        ...
