"""The data of `opsctl doctor`."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from opsctl.findings import Finding
from opsctl.settings import LoadedSettings, Settings

if TYPE_CHECKING:
    from opsctl.systems.clock import Clock
    from opsctl.systems.engine.compose import Compose
    from opsctl.systems.engine.containers import Containers
    from opsctl.systems.git.repository import Git
    from opsctl.systems.host import Host
    from opsctl.systems.http.client import Http
    from opsctl.systems.postgres.client import Postgres
    from opsctl.systems.redis.client import Redis


@dataclass(frozen=True, slots=True)
class DoctorCheck:
    """One check; it may take long, or fail with an OpsctlError."""

    name: str
    ask: Callable[[], Iterable[Finding]]


@dataclass(frozen=True, slots=True)
class DoctorReport:
    findings: tuple[Finding, ...]


class DoctorContext(Protocol):
    """What the checks need; each part is built on first use."""

    @property
    def loaded(self) -> LoadedSettings: ...
    @property
    def settings(self) -> Settings: ...
    @property
    def directory(self) -> Path: ...
    @property
    def state_directory(self) -> Path: ...
    def open_store(self) -> None:
        """Open the state store, or say why it cannot be."""
        ...

    @property
    def experiment(self) -> str | None: ...
    @property
    def clock(self) -> "Clock": ...
    @property
    def host(self) -> "Host": ...
    @property
    def git(self) -> "Git": ...
    @property
    def containers(self) -> "Containers": ...
    @property
    def compose(self) -> "Compose": ...
    @property
    def redis(self) -> "Redis": ...
    @property
    def postgres(self) -> "Postgres": ...
    @property
    def http(self) -> "Http": ...
