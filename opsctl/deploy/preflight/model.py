"""What every preflight check reads."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from opsctl.deploy.model import (
    DeployIssue,
    DeployOptions,
    DeployPlan,
    Observation,
)
from opsctl.settings.sections.deploy import Deploy
from opsctl.systems.engine.compose_model import Service


@dataclass(frozen=True, slots=True)
class PreflightInput:
    observation: Observation
    plan: DeployPlan
    options: DeployOptions
    settings: Deploy

    @property
    def services(self) -> tuple[Service, ...]:
        generated = self.observation.generated
        return tuple(generated.service(name) for name in generated.services)


PreflightCheck = Callable[[PreflightInput], Iterator[DeployIssue]]
