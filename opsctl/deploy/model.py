"""The data of a deploy: the target, what runs now, the plan and its steps, and the result."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from opsctl.deploy.mounted.model import MountedFiles
from opsctl.deploy.planning.changed_keys import KeyChange, ProjectChanges
from opsctl.deploy.planning.compose_actions import ComposeActions
from opsctl.systems.engine.compose import ComposeProject
from opsctl.systems.engine.compose_model import RenderedProject, Service
from opsctl.systems.engine.compose_variables import UnsetVariable
from opsctl.systems.engine.inventory import InventoryImage, PortPublisher
from opsctl.systems.engine.model import Container
from opsctl.systems.git.repository import GitFacts

if TYPE_CHECKING:
    from opsctl.systems.host import Listener, Usage


@dataclass(frozen=True, slots=True)
class DeployTarget:
    """One environment: its compose project, its engine, and where its compose file is."""

    env: str
    app_env: str
    project: str
    directory: Path
    files: tuple[Path, ...]
    engine: str
    """The address that tools connect to; for a remote engine, this end of the tunnel."""
    engine_name: str
    """The address as it is written in the settings."""
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
class GeneratedProject:
    """The compose file that is deployed: the rendered project, with APP_ENV in every service."""

    text: str = field(repr=False)
    digest: str
    rendered: RenderedProject
    services: tuple[str, ...]
    """Only those of the active profiles."""
    config_hashes: Mapping[str, str] = field(default_factory=dict)
    mounted: MountedFiles = field(default_factory=dict)
    """The files that the services mount from the project."""
    file_labels: Mapping[str, str] = field(default_factory=dict)
    """Service to a digest of the files that it mounts."""
    changed_files: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Service to its files that differ from those of the current release."""

    def service(self, name: str) -> Service:
        return self.rendered.services[name]

    @property
    def images(self) -> dict[str, str]:
        """Map each service to the name of its image."""
        return {name: self.service(name).image for name in self.services}


@dataclass(frozen=True, slots=True)
class ServiceContainer:
    """One container of the project, with what its compose labels say."""

    service: str
    container: Container
    config_hash: str = ""

    @property
    def is_up(self) -> bool:
        return self.container.state in {"running", "restarting", "paused"}


@dataclass(frozen=True, slots=True)
class RecordedRelease:
    """A release as the release log has it: enough to restore it."""

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
    """For a rollback, the release that it restored."""
    images: Mapping[str, str] = field(default_factory=dict)
    """Service to image id."""
    image_names: Mapping[str, str] = field(default_factory=dict)
    """Service to the name of its image."""
    image_digests: Mapping[str, str] = field(default_factory=dict)
    """Service to the registry digest of its image."""
    config_hashes: Mapping[str, str] = field(default_factory=dict)
    completed: tuple[str, ...] = ()
    """One-shot services that exited with 0."""
    file: str = ""
    file_digest: str = ""
    services: tuple[str, ...] = ()
    is_dirty: bool = False
    schema: str = ""
    freed_bytes: int = 0
    duration_s: float = 0.0
    reason: str = ""
    last_step: str = ""
    restore_point: Mapping[str, object] = field(default_factory=dict)
    """What ran before this release, as JSON."""
    number: int = 0
    """Counts releases in the order in which they were begun; a clock may go back."""
    image_manifests: Mapping[str, str] = field(default_factory=dict)
    """Service to the digest of its image's content, where the engine knows it."""
    file_labels: Mapping[str, str] = field(default_factory=dict)
    """Service to a digest of the files that it mounts."""
    image_contents: Mapping[str, str] = field(default_factory=dict)
    """Service to its image's fingerprint, which leaves build times out."""

    @property
    def content(self) -> tuple[object, ...]:
        """The same for two releases that run the same."""
        images = {name: self.image_contents.get(name) or id_ for name, id_ in self.images.items()}
        files = tuple(sorted(self.file_labels.items()))
        return (self.file_digest, tuple(sorted(images.items())), files)


@dataclass(frozen=True, slots=True)
class RestorePoint:
    """What ran before a deploy, and what a failed deploy restores."""

    images: Mapping[str, str] = field(default_factory=dict)
    """Service to image id."""
    image_names: Mapping[str, str] = field(default_factory=dict)
    """Name of an image to the id that it referred to."""
    file: str = ""
    """The generated file that it ran from; empty when opsctl did not start it."""
    release: str = ""
    unhealthy: tuple[str, ...] = ()
    """Services that were already unhealthy then."""
    containers: tuple[str, ...] = ()
    """Ids of all containers of the project, stopped ones included."""
    manifests: Mapping[str, str] = field(default_factory=dict)
    """Service to the digest of its image's content, where the engine knows it."""

    @property
    def is_empty(self) -> bool:
        return not self.images


@dataclass(frozen=True, slots=True)
class EngineResources:
    """The labels of what may be shared, by name; None where it does not exist."""

    volumes: Mapping[str, Mapping[str, str] | None] = field(default_factory=dict)
    networks: Mapping[str, Mapping[str, str] | None] = field(default_factory=dict)
    containers: Mapping[str, Mapping[str, str] | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Observation:
    """Everything that a plan is made from, read at one moment."""

    target: DeployTarget
    generated: GeneratedProject
    containers: tuple[ServiceContainer, ...] = ()
    leftovers: tuple[Container, ...] = ()
    """Containers that an interrupted replacement left under a temporary name."""
    image_ids: Mapping[str, str | None] = field(default_factory=dict)
    """Name to id, for every image that the project names."""
    image_manifests: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Name to the digests of its content, where the engine knows them."""
    git: GitFacts | None = None
    experiment: str | None = None
    disk: "Usage | None" = None
    """The engine's disk; None where it cannot be measured."""
    publishers: tuple[PortPublisher, ...] = ()
    listeners: "tuple[Listener, ...]" = ()
    tailnet_addresses: frozenset[str] = frozenset()
    """This machine's own addresses in the tailnet."""
    image_sizes: Mapping[str, int] = field(default_factory=dict)
    images: Mapping[str, InventoryImage] = field(default_factory=dict)
    """Name to image, for those of the project that are on the engine."""
    resources: EngineResources = EngineResources()
    """Only external ones, and those with a fixed name."""
    current_release: RecordedRelease | None = None
    unfinished_release: RecordedRelease | None = None
    stateful_services: frozenset[str] = frozenset()
    """Services that keep data in a named volume."""
    pending_migrations: str | None = None
    """What would be applied; None when nothing would, or when migrations are off."""
    compose: ComposeActions | None = None
    """What compose's dry run says; None where it was not needed."""
    compose_if_fetched: ComposeActions | None = None
    """The same, if every image that is fetched changes."""
    changes: ProjectChanges | None = None
    """What the compose file changes since the current release; None when that is not known."""
    compose_upgrade: str = ""
    """Says that another version of compose made what runs; empty when it is the same."""
    unset_variables: tuple[UnsetVariable, ...] = ()
    """Variables that the compose file uses and nobody set."""

    def containers_of(self, service: str) -> tuple[ServiceContainer, ...]:
        return tuple(found for found in self.containers if found.service == service)

    def runs_image(self, container: Container, name: str) -> bool:
        """Compare by content: the same content built or pulled again may have another id."""
        is_same_id = container.image_id == self.image_ids.get(name)
        return is_same_id or container.image_manifest in self.image_manifests.get(name, ())


class StepKind(StrEnum):
    """What a step does, in the order in which steps run."""

    PREFLIGHT = "preflight"
    LOCK = "lock"
    SNAPSHOT = "snapshot"
    REMOVE = "remove"
    FETCH = "fetch"
    BUILD = "build"
    PULL = "pull"
    TAG = "tag"
    BEFORE_UP = "before_up"
    START = "start"
    MIGRATE = "migrate"
    UP = "up"
    VERIFY = "verify"
    AFTER_UP = "after_up"
    RECORD = "record"
    PRUNE = "prune"
    NOTIFY = "notify"


@dataclass(frozen=True, slots=True)
class DeployStep:
    kind: StepKind
    what: str
    reason: str
    services: tuple[str, ...] = ()


class ServiceChange(StrEnum):
    KEEP = "keep"
    CREATE = "create"
    START = "start"
    RECREATE = "recreate"
    RECREATE_IF_IMAGE_CHANGES = "recreate if its image changes"
    STOP_AND_START = "stop and start"
    SCALE_DOWN = "scale down"
    REMOVE = "remove"


@dataclass(frozen=True, slots=True)
class ServicePlan:
    service: str
    change: ServiceChange
    reason: str
    keys: tuple[KeyChange, ...] = ()
    """What changed in its configuration, secrets masked."""


@dataclass(frozen=True, slots=True)
class ResourcePlan:
    """What happens to a network or a volume."""

    kind: str
    name: str
    change: str
    reason: str


@dataclass(frozen=True, slots=True)
class DeployIssue:
    """What a check found: a reason to refuse, or only a warning."""

    check: str
    what: str
    fix: str = ""
    is_warning: bool = False


@dataclass(frozen=True, slots=True)
class DeployPlan:
    env: str
    project: str
    engine: str
    release: str
    git_sha: str
    git_subject: str
    steps: tuple[DeployStep, ...]
    services: tuple[ServicePlan, ...]
    warnings: tuple[DeployIssue, ...] = ()
    remove_orphans: bool = True
    resources: tuple[ResourcePlan, ...] = ()
    """Networks and volumes that change."""
    compose: ComposeActions | None = None
    """What compose does to each container, network and volume; None when it was not asked."""

    @property
    def is_idle(self) -> bool:
        """Nothing would change."""
        return all(step.kind in {StepKind.PREFLIGHT, StepKind.VERIFY} for step in self.steps)


@dataclass(frozen=True, slots=True)
class DeployOptions:
    """What the command line asked for."""

    services: tuple[str, ...] = ()
    build: bool = False
    force_recreate: tuple[str, ...] = ()
    """Services to recreate although nothing about them changed."""
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
class DeployReport:
    """The result of a deploy that succeeded."""

    env: str
    project: str
    release: str
    outcome: str
    git_sha: str
    services: tuple[ServiceOutcome, ...]
    duration_s: float
    freed_bytes: int = 0
    warnings: tuple[DeployIssue, ...] = ()
