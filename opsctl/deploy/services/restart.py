"""Restarts services: the same containers again, which also repairs unhealthy and paused ones."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from opsctl.deploy.compose_file import check_service_names
from opsctl.deploy.deployed_project import read_deployed_project
from opsctl.deploy.integrations import ReportLine
from opsctl.deploy.model import GeneratedProject, ServiceContainer
from opsctl.deploy.observe import Observer
from opsctl.deploy.preflight.databases import is_data_image, is_stateful
from opsctl.deploy.services.repair import suggest_repair
from opsctl.deploy.verify.service_health import is_one_shot
from opsctl.deploy.verify.wait_until_healthy import (
    ExpectedServices,
    UnhealthyError,
    wait_until_healthy,
)
from opsctl.errors import RefusedError
from opsctl.systems.engine.compose_labels import PROJECT_LABEL
from opsctl.systems.engine.compose_model import Service

if TYPE_CHECKING:
    from opsctl.settings.sections.deploy import Deploy

SHARED_NETWORK = "container:"


@dataclass(frozen=True, slots=True)
class ServiceRestart:
    service: str
    container: str
    reason: str
    keeps_data: bool = False


@dataclass(frozen=True, slots=True)
class RestartPlan:
    env: str
    project: str
    engine: str
    restarts: tuple[ServiceRestart, ...]

    @property
    def is_idle(self) -> bool:
        return not self.restarts


@dataclass(frozen=True, slots=True)
class RestartedService:
    service: str
    container: str
    state: str
    health: str | None


@dataclass(frozen=True, slots=True)
class RestartReport:
    env: str
    project: str
    engine: str
    services: tuple[RestartedService, ...]
    duration_s: float


@dataclass(frozen=True, slots=True)
class PreparedRestart:
    """A plan, and what it was made from."""

    plan: RestartPlan
    deployed: GeneratedProject
    containers: tuple[ServiceContainer, ...]


def prepare_restart(
    observer: Observer, services: tuple[str, ...], *, allow_stateful: bool
) -> PreparedRestart:
    """Plan a restart; refuse one of a service that keeps data, unless that is allowed."""
    containers = observer.service_containers()
    deployed = read_deployed_project(observer, containers)
    check_service_names(services, {found.service: found for found in containers})
    target, settings = observer.context.target, observer.context.settings.deploy
    restarts = tuple(plan_restarts(deployed, containers, services, settings))
    plan = RestartPlan(target.env, target.project, target.engine_name, restarts)
    if not allow_stateful:
        refuse_stateful(plan, containers)
    return PreparedRestart(plan, deployed, containers)


def plan_restarts(
    deployed: GeneratedProject,
    containers: tuple[ServiceContainer, ...],
    services: tuple[str, ...],
    settings: "Deploy",
) -> Iterator[ServiceRestart]:
    """List the containers to restart, dependencies first, with the reason for each."""
    reasons = dict.fromkeys(services, "asked for")
    if not services:
        names = (found.service for found in containers if not _has_completed(deployed, found))
        reasons = dict.fromkeys(sorted(names), "all services")
    reasons = _add_dependents(deployed, containers, reasons)
    for name in _order_by_dependencies(deployed, reasons):
        for found in containers:
            if found.service == name:
                reason = f"{reasons[name]} ({_describe_state(found)})"
                keeps_data = _keeps_data(deployed, found, settings)
                yield ServiceRestart(name, found.container.name, reason, keeps_data)


def _has_completed(deployed: GeneratedProject, found: ServiceContainer) -> bool:
    """A one-shot that completed would run a second time."""
    has_succeeded = found.container.state == "exited" and found.container.exit_code == 0
    service = deployed.rendered.services.get(found.service)
    return has_succeeded and (service is None or is_one_shot(service))


def _add_dependents(
    deployed: GeneratedProject, containers: tuple[ServiceContainer, ...], reasons: dict[str, str]
) -> dict[str, str]:
    """Add what loses its network with another's restart, or asks for it by `restart: true`."""
    added = dict(reasons)
    remaining = list(reasons)
    while remaining:
        name = remaining.pop()
        dependents = {
            **dict.fromkeys(_find_followers(deployed, name), f"depends_on {name}, restart: true"),
            **dict.fromkeys(_find_sharers(containers, name), f"it uses the network of {name}"),
        }
        present = {found.service for found in containers}
        for dependent, reason in dependents.items():
            if dependent in present and dependent not in added:
                added[dependent] = reason
                remaining.append(dependent)
    return added


def _find_sharers(containers: tuple[ServiceContainer, ...], name: str) -> Iterator[str]:
    ids = {found.container.id for found in containers if found.service == name}
    for found in containers:
        if found.container.network_mode.removeprefix(SHARED_NETWORK) in ids:
            yield found.service


def _find_followers(deployed: GeneratedProject, name: str) -> Iterator[str]:
    services = json.loads(deployed.text or "{}").get("services") or {}
    for service, raw in services.items():
        if ((raw.get("depends_on") or {}).get(name) or {}).get("restart"):
            yield service


def _order_by_dependencies(deployed: GeneratedProject, names: dict[str, str]) -> tuple[str, ...]:
    """Put each service behind those it depends on; compose has refused circles."""
    ordered: dict[str, None] = {}

    def add(name: str) -> None:
        service = deployed.rendered.services.get(name)
        for dependency in sorted(service.depends_on) if service else ():
            if dependency in names and dependency not in ordered:
                add(dependency)
        ordered[name] = None

    for name in names:
        add(name)
    return tuple(ordered)


def _describe_state(found: ServiceContainer) -> str:
    container = found.container
    return f"{container.state}, {container.health}" if container.health else container.state


def _keeps_data(deployed: GeneratedProject, found: ServiceContainer, settings: "Deploy") -> bool:
    project = found.container.labels.get(PROJECT_LABEL, "")
    service = deployed.rendered.services.get(found.service) if deployed.text else None
    if service is not None:
        return is_stateful(service, settings, project=project)
    # Without a recorded file only the name of the image tells.
    return is_data_image(found.service, found.container.image, settings, project=project)


def refuse_stateful(plan: RestartPlan, containers: tuple[ServiceContainer, ...]) -> None:
    stateful = sorted({restart.service for restart in plan.restarts if restart.keeps_data})
    if not stateful:
        return
    others = sorted({found.service for found in containers} - set(stateful))
    named = f", or name the others: opsctl restart -e {plan.env} {' '.join(others)}"
    raise RefusedError(
        "restart refused: stateful service; nothing was changed",
        why=f"{', '.join(stateful)} keeps data, and is unavailable while it restarts",
        hint=f"Allow it with --allow-stateful{named if others else ''}",
    )


def restart_services(
    observer: Observer, prepared: PreparedRestart, *, timeout_s: float, report: ReportLine
) -> RestartReport:
    """Restart one container after the other, and wait until all of them are healthy."""
    context, plan = observer.context, prepared.plan
    started_s = context.clock.steady()
    for restart in plan.restarts:
        report(f"restart {restart.container}: {restart.reason}")
        context.containers.restart(restart.container)
    names = dict.fromkeys(restart.service for restart in plan.restarts)
    expected = ExpectedServices({name: _describe_service(prepared, name) for name in names}, {})
    try:
        after = wait_until_healthy(observer, expected, timeout_s=timeout_s, report=report)
    except UnhealthyError as error:
        error.hint = suggest_repair(plan.env, (found.service for found in error.verdicts))
        raise
    restarted = {restart.container for restart in plan.restarts}
    return RestartReport(
        plan.env,
        plan.project,
        plan.engine,
        tuple(
            RestartedService(found.service, found.container.name, container.state, container.health)
            for found in after
            if (container := found.container).name in restarted
        ),
        round(context.clock.steady() - started_s, 2),
    )


def _describe_service(prepared: PreparedRestart, name: str) -> Service:
    """Expect as many containers as were restarted; how many there should be is for `up`."""
    count = sum(1 for found in prepared.containers if found.service == name)
    service = prepared.deployed.rendered.services.get(name) or Service(name)
    return replace(service, replicas=count)
