"""Stops an environment: removes containers and networks, never volumes."""

from dataclasses import dataclass

from opsctl.deploy.integrations import ReportLine
from opsctl.deploy.observe import Observer, is_one_off
from opsctl.errors import OpsctlError
from opsctl.systems.engine.compose_labels import ONE_OFF_LABEL, PROJECT_LABEL, SERVICE_LABEL
from opsctl.systems.engine.model import Container


@dataclass(frozen=True, slots=True)
class DownStep:
    what: str
    reason: str


@dataclass(frozen=True, slots=True)
class DownPlan:
    env: str
    project: str
    engine: str
    steps: tuple[DownStep, ...]
    volumes: str = "volumes are kept"

    @property
    def is_idle(self) -> bool:
        return not self.steps


def plan_down(observer: Observer) -> DownPlan:
    """List what has the project's label: the compose file may have changed, or be gone."""
    context = observer.context
    target = context.target
    containers = (_plan_removal(container) for container in observer.project_containers())
    networks = (
        DownStep(f"remove network {network.name}", "network of this project")
        for network in context.inventory.project_networks(target.project)
    )
    return DownPlan(target.env, target.project, target.engine_name, (*containers, *networks))


def _plan_removal(container: Container) -> DownStep:
    role = "one-off run of" if is_one_off(container) else "service"
    service = container.labels.get(SERVICE_LABEL, "")
    return DownStep(f"remove {container.name}", f"{role} {service} ({container.state})")


def take_down(observer: Observer, *, report: ReportLine) -> DownPlan:
    """Remove the project's containers and networks, one-off runs included."""
    context, plan = observer.context, plan_down(observer)
    project = context.target.project
    # Compose leaves one-off runs, and then cannot remove the network that they use.
    one_offs = context.containers.find(f"{PROJECT_LABEL}={project}", f"{ONE_OFF_LABEL}=True")
    for container in one_offs:
        context.containers.remove(container.id, force=True)
    finished = context.compose.down(
        context.target.compose_project(), lambda line: report(line.text)
    )
    if finished.exit_code:
        raise OpsctlError(f"cannot stop {project}", why=finished.complaint)
    _check_removed(observer, report=report)
    return plan


def _check_removed(observer: Observer, *, report: ReportLine) -> None:
    project = observer.context.target.project
    for network in observer.context.inventory.project_networks(project):
        report(f"network {network.name} stays: containers outside of {project} use it")
    remaining = observer.project_containers()
    if remaining:
        names = ", ".join(container.name for container in remaining)
        raise OpsctlError(f"cannot stop all of {project}", why=f"still there: {names}")
