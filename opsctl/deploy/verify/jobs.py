"""Decides which services are jobs, whose end a deploy waits for; pure."""

from datetime import datetime

from opsctl.deploy.model import Observation
from opsctl.deploy.verify.service_health import is_one_shot
from opsctl.systems.engine.compose_model import Service

# One that has run for longer than this was not about to end.
LONG_RUN_S = 600.0


def find_jobs(observation: Observation, *, now: datetime) -> frozenset[str]:
    """Name the services that are expected to end.

    A file says it by `restart: no`, or by restart policies for its other services. What a service
    did before counts more: whether it has ended, or has run for long.
    """
    generated = observation.generated
    services = [generated.service(name) for name in generated.services]
    has_policies = any(not is_one_shot(service) for service in services)
    return frozenset(
        service.name
        for service in services
        if _is_job(observation, service, has_policies=has_policies, now=now)
    )


def _is_job(
    observation: Observation, service: Service, *, has_policies: bool, now: datetime
) -> bool:
    is_reached = any(port.published for port in service.ports)
    if not is_one_shot(service) or service.has_healthcheck or is_reached:
        return False
    current = observation.current_release
    before = [found.container for found in observation.containers_of(service.name)]
    has_ended = any(found.state == "exited" and not found.exit_code for found in before)
    if has_ended or (current is not None and service.name in current.completed):
        return True
    running = [found.started_at for found in before if found.state == "running"]
    if any(since and (now - since).total_seconds() > LONG_RUN_S for since in running):
        return False
    return service.restart == "no" or has_policies
