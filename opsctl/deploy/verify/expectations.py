"""Says what must be true of the services after a deploy, and what is only a warning; pure."""

from collections.abc import Collection, Iterator
from datetime import datetime

from opsctl.deploy.model import (
    DeployIssue,
    DeployPlan,
    Observation,
    ServiceChange,
    ServiceContainer,
)
from opsctl.deploy.services.repair import suggest_repair
from opsctl.deploy.verify.jobs import find_jobs
from opsctl.deploy.verify.wait_until_healthy import ExpectedServices

UNCHANGED_UNHEALTHY = "unhealthy service"
RUNNING_JOB = "running job"


def expect_services(
    observation: Observation, plan: DeployPlan, names: Collection[str], *, now: datetime
) -> ExpectedServices:
    """Expect the planned images in healthy containers."""
    images = {name: observation.generated.images[name] for name in names}
    kept = {found.service for found in plan.services if found.change is ServiceChange.KEEP}
    before = [found.container for found in observation.containers]
    return ExpectedServices(
        services={name: observation.generated.service(name) for name in names},
        images={name: observation.image_ids.get(image) for name, image in images.items()},
        manifests={
            name: observation.image_manifests.get(image, ()) for name, image in images.items()
        },
        app_env=observation.target.app_env,
        restarts_before={container.id: container.restart_count for container in before},
        jobs=find_jobs(observation, now=now) - kept,
        # Where nothing changes, there is nothing that its health could be an obstacle to.
        excused=frozenset() if plan.is_idle else _find_unhealthy(observation, kept),
    )


def _find_unhealthy(observation: Observation, kept: Collection[str]) -> frozenset[str]:
    return frozenset(
        found.container.id
        for found in observation.containers
        if found.service in kept and found.is_up and is_unhealthy(found)
    )


def is_unhealthy(found: ServiceContainer) -> bool:
    return found.container.health == "unhealthy" or found.container.state != "running"


def find_warnings(
    expected: ExpectedServices, containers: Collection[ServiceContainer], *, env: str
) -> Iterator[DeployIssue]:
    """Warn of what a deploy did not have to wait for, and was not well when it ended."""
    for found in containers:
        name = found.service
        if found.container.id in expected.excused and is_unhealthy(found):
            what = f"{name} was unhealthy before this deploy, which did not change it"
            yield DeployIssue(
                UNCHANGED_UNHEALTHY, what, suggest_repair(env, (name,)), is_warning=True
            )
        if (
            name in expected.jobs
            and name in expected.services
            and found.container.state == "running"
        ):
            what = f"{name} may end (it has no restart policy) and still runs; its end was not seen"
            fix = f"`opsctl status -e {env}` shows how it ended. If it runs for ever, give it"
            fix += " `restart: unless-stopped`."
            yield DeployIssue(RUNNING_JOB, what, fix, is_warning=True)
