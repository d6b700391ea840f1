"""Decides whether services are well: pure, so that every case is a plain value in a test."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from opsctl.deploy.model import Running
from opsctl.systems.engine.compose_model import Service
from opsctl.systems.engine.model import Container


class Health(StrEnum):
    WELL = "well"
    DONE = "done"
    WAITING = "waiting"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Verdict:
    service: str
    health: Health
    why: str
    container: str = ""
    left_s: float = 0.0
    """How much of the stable window is left."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What well means."""

    stable_s: float
    crash_restarts: int
    restarts_before: Mapping[str, int]
    """Container id to the restarts it had when the wait began."""


def judge(
    service: Service, found: Sequence[Running], rules: Rules, *, now: datetime
) -> tuple[Verdict, ...]:
    """Judge each container of one service."""
    verdicts = tuple(_judge(service, one.container, rules, now) for one in found)
    if len(found) < service.replicas:
        missing = f"{len(found)} of {service.replicas} containers are there"
        return (*verdicts, Verdict(service.name, Health.FAILED, missing))
    return verdicts


def _judge(service: Service, container: Container, rules: Rules, now: datetime) -> Verdict:
    health, why = _health(service, container, rules, now)
    left_s = rules.stable_s - _ran_s(container, now) if health is Health.WAITING else 0.0
    return Verdict(service.name, health, why, container.id, max(0.0, left_s))


def _health(
    service: Service, container: Container, rules: Rules, now: datetime
) -> tuple[Health, str]:
    restarts = container.restart_count - rules.restarts_before.get(container.id, 0)
    if restarts >= rules.crash_restarts:
        return Health.FAILED, f"crash loop: restarted {restarts} times, last {_ended(container)}"
    match container.state:
        case "running":
            return _running(container, rules, now)
        case "restarting":
            return Health.WAITING, f"restarting, last {_ended(container)}"
        case "exited":
            return _exited(service, container)
        case "created":
            return Health.WAITING, "created, not started yet"
        case state:
            return Health.FAILED, state


def _running(container: Container, rules: Rules, now: datetime) -> tuple[Health, str]:
    if container.health == "unhealthy":
        return Health.FAILED, "unhealthy: its health check fails"
    if container.health == "starting":
        return Health.WAITING, "its health check has not passed yet"
    if container.health == "healthy":
        return Health.WELL, "healthy"
    ran_s = _ran_s(container, now)
    if ran_s < rules.stable_s:
        return Health.WAITING, f"running for {ran_s:.0f} of {rules.stable_s:g} s"
    return Health.WELL, "running, stable"


def _ran_s(container: Container, now: datetime) -> float:
    since = container.started_at
    return max(0.0, (now - since).total_seconds()) if since else 0.0


def _exited(service: Service, container: Container) -> tuple[Health, str]:
    if container.exit_code == 0 and is_one_shot(service):
        return Health.DONE, "ended well"
    if container.exit_code == 0:
        return Health.WAITING, "ended; it will be started again"
    return Health.FAILED, _ended(container)


def is_one_shot(service: Service) -> bool:
    """A service that may end: nothing starts it again."""
    return service.restart.partition(":")[0] in {"", "no", "on-failure"}


def _ended(container: Container) -> str:
    said = f"exit code {container.exit_code}"
    return f"{said}, out of memory" if container.was_out_of_memory else said
