"""Decides whether the containers of a service are healthy; pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from opsctl.deploy.model import ServiceContainer
from opsctl.systems.engine.compose_model import Service
from opsctl.systems.engine.model import Container


class ServiceHealth(StrEnum):
    HEALTHY = "healthy"
    COMPLETED = "completed"
    WAITING = "waiting"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class HealthVerdict:
    service: str
    health: ServiceHealth
    why: str
    container: str = ""
    remaining_s: float = 0.0
    """How much longer the container must run to count as stable."""
    is_running_job: bool = False
    """It is stable, and only waited for because it is expected to end."""


@dataclass(frozen=True, slots=True)
class HealthRules:
    """When a container counts as healthy, and when as crashing."""

    stable_s: float
    crash_restarts: int
    restarts_before: Mapping[str, int]
    """Container id to its restart count when the wait began."""
    jobs: frozenset[str] = frozenset()
    """Services that are expected to end."""
    excused: frozenset[str] = frozenset()
    """Ids of containers that were unhealthy before, and that this deploy does not change."""


def judge_service(
    service: Service, containers: Sequence[ServiceContainer], rules: HealthRules, *, now: datetime
) -> tuple[HealthVerdict, ...]:
    """Judge each container of one service; missing replicas are a failure of their own."""
    verdicts = tuple(_judge_container(service, found.container, rules, now) for found in containers)
    if len(containers) < service.replicas:
        why = f"{len(containers)} of {service.replicas} containers exist"
        return (*verdicts, HealthVerdict(service.name, ServiceHealth.FAILED, why))
    return verdicts


def _judge_container(
    service: Service, container: Container, rules: HealthRules, now: datetime
) -> HealthVerdict:
    if container.id in rules.excused:
        why = "unhealthy before this deploy, which did not change it"
        return HealthVerdict(service.name, ServiceHealth.HEALTHY, why, container.id)
    health, why = _decide_health(service, container, rules, now)
    if health is ServiceHealth.HEALTHY and service.name in rules.jobs and not container.health:
        why = "expected to end, still running"
        return HealthVerdict(
            service.name, ServiceHealth.WAITING, why, container.id, is_running_job=True
        )
    is_waiting = health is ServiceHealth.WAITING
    remaining_s = rules.stable_s - _uptime_s(container, now) if is_waiting else 0.0
    return HealthVerdict(service.name, health, why, container.id, max(0.0, remaining_s))


def _decide_health(
    service: Service, container: Container, rules: HealthRules, now: datetime
) -> tuple[ServiceHealth, str]:
    restarts = container.restart_count - rules.restarts_before.get(container.id, 0)
    if restarts >= rules.crash_restarts:
        why = f"crash loop: restarted {restarts} times, last {_describe_exit(container)}"
        return ServiceHealth.FAILED, why
    match container.state:
        case "running":
            return _decide_running(container, rules, now)
        case "restarting":
            return ServiceHealth.WAITING, f"restarting, last {_describe_exit(container)}"
        case "exited":
            return _decide_exited(service, container)
        case "created":
            return ServiceHealth.WAITING, "created, not started yet"
        case state:
            return ServiceHealth.FAILED, state


def _decide_running(
    container: Container, rules: HealthRules, now: datetime
) -> tuple[ServiceHealth, str]:
    if container.health == "unhealthy":
        return ServiceHealth.FAILED, "unhealthy: its health check fails"
    if container.health == "starting":
        return ServiceHealth.WAITING, "its health check has not passed yet"
    if container.health == "healthy":
        return ServiceHealth.HEALTHY, "healthy"
    uptime_s = _uptime_s(container, now)
    if uptime_s < rules.stable_s:
        return ServiceHealth.WAITING, f"running for {uptime_s:.0f} of {rules.stable_s:g} s"
    return ServiceHealth.HEALTHY, "running, stable"


def _uptime_s(container: Container, now: datetime) -> float:
    since = container.started_at
    return max(0.0, (now - since).total_seconds()) if since else 0.0


def _decide_exited(service: Service, container: Container) -> tuple[ServiceHealth, str]:
    if container.exit_code == 0 and is_one_shot(service):
        return ServiceHealth.COMPLETED, "completed"
    if container.exit_code == 0:
        return ServiceHealth.WAITING, "exited; it will be restarted"
    return ServiceHealth.FAILED, _describe_exit(container)


def is_one_shot(service: Service) -> bool:
    """A service that may exit: nothing restarts it after a success."""
    return service.restart.partition(":")[0] in {"", "no", "on-failure"}


def _describe_exit(container: Container) -> str:
    exit_code = f"exit code {container.exit_code}"
    return f"{exit_code}, out of memory" if container.was_out_of_memory else exit_code
