"""What a check needs from outside: each part is built on first use."""

from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from opsctl.settings import LoadedSettings, Settings

if TYPE_CHECKING:
    from opsctl.systems.clock import Clock
    from opsctl.systems.engine.compose import Compose
    from opsctl.systems.engine.containers import Containers
    from opsctl.systems.files.read_tree import Tree
    from opsctl.systems.git.history import History
    from opsctl.systems.git.repository import Git
    from opsctl.systems.host import Host
    from opsctl.systems.network.ports import Ports
    from opsctl.systems.postgres.client import Postgres
    from opsctl.systems.redis.client import Redis


class PolicyContext(Protocol):
    @property
    def settings(self) -> Settings: ...
    @property
    def directory(self) -> Path: ...
    @property
    def project_dir(self) -> Path: ...
    def loaded_for(self, env: str) -> LoadedSettings:
        """Read the settings of another environment; SettingsError where they are wrong."""
        ...

    @property
    def experiment(self) -> str | None: ...
    @property
    def clock(self) -> "Clock": ...
    @property
    def tree(self) -> "Tree": ...
    @property
    def git(self) -> "Git": ...
    @property
    def history(self) -> "History": ...
    @property
    def compose(self) -> "Compose": ...


class LivePolicyContext(PolicyContext, Protocol):
    @property
    def host(self) -> "Host": ...
    @property
    def containers(self) -> "Containers": ...
    @property
    def ports(self) -> "Ports": ...
    @property
    def postgres(self) -> "Postgres": ...
    @property
    def redis(self) -> "Redis": ...
