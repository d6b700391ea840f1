"""A compose project, and the interface that starts it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from opsctl.errors import OpsctlError
from opsctl.systems.engine.compose_model import RenderedProject
from opsctl.systems.process.output import Line
from opsctl.systems.process.run import Finished


class UnreadableProjectError(OpsctlError):
    """The files of a project are missing, or compose cannot read them."""


@dataclass(frozen=True, slots=True)
class ComposeProject:
    """What to run, in full: nothing is read from the shell or the folder."""

    name: str
    directory: Path
    files: tuple[Path, ...]
    engine: str
    """The engine's address, e.g. unix:///var/run/docker.sock or ssh://host."""
    env_files: tuple[Path, ...] = ()
    profiles: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Values for `${...}` in the files; nothing else of our environment gets there."""
    secrets: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class UpOptions:
    services: tuple[str, ...] = ()
    """None named: all."""
    wait_timeout_s: int | None = 120
    """None does not wait; a service that exits with 0 counts as failed when waited for."""
    remove_orphans: bool = False
    force_recreate: bool = False
    with_dependencies: bool = True
    limit_s: float = 0.0
    """How long dependencies may take to start, when compose itself does not wait."""


@dataclass(frozen=True, slots=True)
class ServiceContainer:
    """One container of the project."""

    id: str
    name: str
    service: str
    image: str
    state: str
    health: str | None = None
    exit_code: int = 0


class DryRunEnd(StrEnum):
    COMPLETE = "complete"
    WAITING = "waiting"
    """It began to wait for a container; everything that is created or removed was named before."""
    LATE = "late"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class DryRunEvent:
    """One thing that compose says it would do, in its own words: Container web-1 Recreate."""

    kind: str
    name: str
    word: str


@dataclass(frozen=True, slots=True)
class DryRun:
    """What compose says that `up` would do."""

    events: tuple[DryRunEvent, ...]
    end: DryRunEnd = DryRunEnd.COMPLETE
    complaint: str = ""


OnLine = Callable[[Line], None]


class Compose(Protocol):
    def version(self) -> str:
        """Return its version; refuse one that is too old."""
        ...

    def config(self, project: ComposeProject) -> RenderedProject:
        """Render the project, services of every profile included."""
        ...

    def hashes(self, project: ComposeProject) -> Mapping[str, str]:
        """Return the hash of each service's configuration, as `up` writes it into a label."""
        ...

    def ps(self, project: ComposeProject) -> tuple[ServiceContainer, ...]: ...

    def up(self, project: ComposeProject, options: UpOptions, on_line: OnLine) -> Finished:
        """Start the services: builds and pulls nothing. Any exit code but 0 is a failure."""
        ...

    def dry_run(self, project: ComposeProject, options: UpOptions) -> DryRun:
        """Say what `up` with the same arguments would do; change nothing."""
        ...

    def build(
        self, project: ComposeProject, on_line: OnLine, *, services: tuple[str, ...]
    ) -> Finished: ...

    def pull(
        self, project: ComposeProject, on_line: OnLine, *, services: tuple[str, ...] = ()
    ) -> Finished: ...

    def down(
        self, project: ComposeProject, on_line: OnLine, *, stop_timeout_s: int | None = None
    ) -> Finished:
        """Remove all containers and networks of that name, whatever its files say; keep volumes.

        Each container has its own time to stop, unless one is given here.
        """
        ...

    def remove(
        self, project: ComposeProject, on_line: OnLine, *, services: tuple[str, ...]
    ) -> Finished:
        """Stop and remove the containers of these services, whatever their profile."""
        ...

    def logs(self, project: ComposeProject, shown: "LogOptions", on_line: OnLine) -> Finished:
        """Read logs; of a project without files, those of the containers that exist."""
        ...


@dataclass(frozen=True, slots=True)
class LogOptions:
    services: tuple[str, ...] = ()
    lines: int = 200
    follow: bool = False
    with_times: bool = False
