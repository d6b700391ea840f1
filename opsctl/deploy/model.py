"""The nouns of a deploy: what was seen, what will be done and why, what came of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from opsctl.systems.engine.compose import ComposeProject
from opsctl.systems.engine.compose_model import RenderedProject, Service
from opsctl.systems.engine.inventory import PortPublisher
from opsctl.systems.engine.model import Container
from opsctl.systems.git.repository import GitFacts

if TYPE_CHECKING:
    from opsctl.systems.host import Listener, Usage

PROJECT = "com.docker.compose.project"
SERVICE = "com.docker.compose.service"
HASH = "com.docker.compose.config-hash"
ONE_OFF = "com.docker.compose.oneoff"


@dataclass(frozen=True, slots=True)
class Target:
    """One environment: its project, its engine, and where its compose file stands."""

    env: str
    app_env: str
    project: str
    directory: Path
    files: tuple[Path, ...]
    engine: str
    """The address that every tool is told."""
    engine_name: str
    """The address as people wrote it."""
    is_remote: bool = False
    profiles: tuple[str, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def is_prod(self) -> bool:
        return self.env == "prod"

    def compose_project(self, *files: Path, secrets: tuple[str, ...] = ()) -> ComposeProject:
        return ComposeProject(
            name=self.project,
            directory=self.directory,
            files=files or self.files,
            engine=self.engine,
            profiles=self.profiles,
            environment={**self.variables, "APP_ENV": self.app_env},
            secrets=secrets,
        )


@dataclass(frozen=True, slots=True)
class Draft:
    """What is to run: the whole project in one generated file, APP_ENV in every service."""

    text: str = field(repr=False)
    digest: str
    rendered: RenderedProject
    services: tuple[str, ...]
    """Those of the profiles at hand."""
    hashes: Mapping[str, str] = field(default_factory=dict)

    def service(self, name: str) -> Service:
        return self.rendered.services[name]

    @property
    def images(self) -> dict[str, str]:
        """Service to the name of its image."""
        return {name: self.service(name).image for name in self.services}


@dataclass(frozen=True, slots=True)
class Running:
    """One container of the project, and what compose wrote on it."""

    service: str
    container: Container
    config_hash: str = ""

    @property
    def is_up(self) -> bool:
        return self.container.state in {"running", "restarting", "paused"}


@dataclass(frozen=True, slots=True)
class Recorded:
    """A release as the ledger has it: enough to bring it back."""

    id: str
    env: str
    outcome: str
    started_at: datetime
    finished_at: datetime | None
    git_sha: str
    git_subject: str
    who: str
    kind: str = "up"
    origin: str = ""
    """The release whose content this is; itself, unless it was a rollback."""
    images: Mapping[str, str] = field(default_factory=dict)
    """Service to image id."""
    names: Mapping[str, str] = field(default_factory=dict)
    """Service to the name of its image."""
    digests: Mapping[str, str] = field(default_factory=dict)
    """Service to what a registry calls its image."""
    hashes: Mapping[str, str] = field(default_factory=dict)
    completed: tuple[str, ...] = ()
    """One-shots that ended well."""
    file: str = ""
    digest: str = ""
    services: tuple[str, ...] = ()
    is_dirty: bool = False
    schema: str = ""
    freed_bytes: int = 0
    duration_s: float = 0.0
    reason: str = ""
    last_step: str = ""
    base: Mapping[str, object] = field(default_factory=dict)
    """What ran before it, as far as it changed that."""


@dataclass(frozen=True, slots=True)
class Base:
    """What ran before: what a failed deploy is put back to."""

    images: Mapping[str, str] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    """Name of an image to the id it stood for."""
    file: str = ""
    """The generated file that it ran from; empty when it was not started by us."""
    release: str = ""
    unwell: tuple[str, ...] = ()
    """Services that were not well even then."""

    @property
    def is_empty(self) -> bool:
        return not self.images


@dataclass(frozen=True, slots=True)
class Seen:
    """One look at the world before a plan."""

    target: Target
    draft: Draft
    running: tuple[Running, ...] = ()
    left_over: tuple[Container, ...] = ()
    """Containers that an interrupted replacement left under a name of its own."""
    image_ids: Mapping[str, str | None] = field(default_factory=dict)
    """Name to id, for every image that the project names."""
    git: GitFacts | None = None
    experiment: str | None = None
    disk: "Usage | None" = None
    """Of the engine; None where it cannot be measured."""
    publishers: tuple[PortPublisher, ...] = ()
    listeners: "tuple[Listener, ...]" = ()
    tailnet: frozenset[str] = frozenset()
    """This machine's own addresses in the tailnet."""
    image_sizes: Mapping[str, int] = field(default_factory=dict)
    live: Recorded | None = None
    unfinished: Recorded | None = None
    stateful: frozenset[str] = frozenset()
    """Services that keep data in a named volume."""
    migration: str | None = None
    """What a migration would do; None when there is nothing to do, or nobody to do it."""

    def of(self, service: str) -> tuple[Running, ...]:
        return tuple(one for one in self.running if one.service == service)


class Act(StrEnum):
    """What a step does, in the order in which steps come."""

    PREFLIGHT = "preflight"
    LOCK = "lock"
    SNAPSHOT = "snapshot"
    SWEEP = "sweep"
    FETCH = "fetch"
    BUILD = "build"
    PULL = "pull"
    NAME = "name"
    START = "start"
    MIGRATE = "migrate"
    UP = "up"
    VERIFY = "verify"
    RECORD = "record"
    PRUNE = "prune"
    NOTIFY = "notify"


@dataclass(frozen=True, slots=True)
class Step:
    act: Act
    what: str
    reason: str
    services: tuple[str, ...] = ()


class Change(StrEnum):
    KEEP = "keep"
    CREATE = "create"
    START = "start"
    RECREATE = "recreate"
    MAYBE = "recreate if its image changes"
    REMOVE = "remove"


@dataclass(frozen=True, slots=True)
class ServicePlan:
    service: str
    change: Change
    reason: str


@dataclass(frozen=True, slots=True)
class Objection:
    """What a guard says: a refusal, or only a warning."""

    guard: str
    what: str
    fix: str = ""
    is_warning: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    env: str
    project: str
    engine: str
    release: str
    git_sha: str
    git_subject: str
    steps: tuple[Step, ...]
    services: tuple[ServicePlan, ...]
    warnings: tuple[Objection, ...] = ()
    remove_orphans: bool = True

    @property
    def is_idle(self) -> bool:
        """Nothing would change."""
        return all(step.act in {Act.PREFLIGHT, Act.VERIFY} for step in self.steps)


@dataclass(frozen=True, slots=True)
class Wish:
    """What was asked for."""

    services: tuple[str, ...] = ()
    build: bool = False
    allow_dirty: bool = False
    allow_stateful: bool = False
    wait_timeout_s: float | None = None
    kind: str = "up"


@dataclass(frozen=True, slots=True)
class ServiceOutcome:
    service: str
    change: str
    state: str
    image: str
    image_id: str
    health: str | None = None


@dataclass(frozen=True, slots=True)
class Deployed:
    """How a deploy that went well ended."""

    env: str
    project: str
    release: str
    outcome: str
    git_sha: str
    services: tuple[ServiceOutcome, ...]
    duration_s: float
    freed_bytes: int = 0
    warnings: tuple[Objection, ...] = ()


class Migration(Protocol):
    """The migrate capability, as far as a deploy calls it; the door hands one in."""

    def pending(self) -> str | None:
        """Say what would be applied; None when nothing is."""
        ...

    def apply(self) -> str:
        """Apply it; say the version that the schema has then."""
        ...


class Notifier(Protocol):
    """Where the end of a deploy is told; the door hands one in."""

    def tell(self, title: str, text: str, *, is_bad: bool) -> None: ...


class Gate(Protocol):
    """A claim about data that must hold after a deploy."""

    @property
    def name(self) -> str: ...

    def objection(self) -> str | None:
        """Say why it does not hold; None when it does."""
        ...
