"""One deploy in progress: its plan, its context, and what is known so far."""

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from opsctl.deploy.integrations import DeployIntegrations
from opsctl.deploy.model import (
    DeployIssue,
    DeployOptions,
    DeployPlan,
    GeneratedProject,
    Observation,
    RecordedRelease,
    RestorePoint,
    ServiceChange,
    ServiceContainer,
)
from opsctl.deploy.observe import Observer
from opsctl.deploy.planning.ask_compose import RELEASE_FILES
from opsctl.deploy.releases.release_log import ReleaseLog
from opsctl.deploy.secret_values import collect_secrets
from opsctl.systems.engine.compose import ComposeProject
from opsctl.systems.engine.inventory import InventoryImage
from opsctl.systems.process.output import Line

KEPT_LINES = 40


@dataclass
class DeployRun:
    """What changes while the steps run; everything else is in the plan."""

    observer: Observer
    plan: DeployPlan
    observation: Observation
    options: DeployOptions
    integrations: DeployIntegrations
    restore_point: RestorePoint = field(default_factory=RestorePoint)
    origin: RecordedRelease | None = None
    """In a rollback, the release that is restored."""
    has_changed_containers: bool = False
    is_recorded: bool = False
    """The release log has the outcome."""
    freed_bytes: int = 0
    schema: str = ""
    images: dict[str, InventoryImage] = field(default_factory=dict)
    """Service to image, read when the release is recorded."""
    rebuilt: set[str] = field(default_factory=set)
    """Names of images that a rollback has built again."""
    started_s: float = 0.0
    before_up: tuple[ServiceContainer, ...] = ()
    """The containers right before `up`."""
    containers: tuple[ServiceContainer, ...] = ()
    warnings: list[DeployIssue] = field(default_factory=list)
    left_behind: str = "no running container was changed"
    output: list[str] = field(default_factory=list)
    """The last lines that compose printed."""

    @property
    def release_log(self) -> ReleaseLog:
        return self.observer.release_log

    @property
    def generated(self) -> GeneratedProject:
        return self.observation.generated

    @cached_property
    def file(self) -> Path:
        folder = self.observer.context.state_directory / RELEASE_FILES
        return folder / f"{self.plan.release}.json"

    @property
    def project(self) -> ComposeProject:
        """The generated file as a project, for compose."""
        return self.observation.target.compose_project(self.file, secrets=self.secrets)

    @cached_property
    def secrets(self) -> tuple[str, ...]:
        """Values to mask in all output."""
        return collect_secrets(self.observer.context, self.generated.rendered)

    @property
    def completed_before(self) -> frozenset[str]:
        """One-shots that completed in an earlier release and have no container any more."""
        kept = (p.service for p in self.plan.services if p.change is ServiceChange.KEEP)
        return frozenset(name for name in kept if not self.observation.containers_of(name))

    @property
    def wait_timeout_s(self) -> float:
        settings = self.observer.context.settings.deploy
        return self.options.wait_timeout_s or settings.wait_timeout_s

    @property
    def restore_timeout_s(self) -> float:
        """A deploy may be given less time than usual; what ran before gets at least the usual."""
        settings = self.observer.context.settings.deploy
        return max(self.wait_timeout_s, settings.wait_timeout_s)

    def take_line(self, line: Line) -> None:
        """Keep the last lines of a program's output, and show each."""
        self.output.append(line.text)
        del self.output[:-KEPT_LINES]
        self.integrations.report(line.text)
