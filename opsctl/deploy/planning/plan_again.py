"""Plans once more right before `up`: the images are there now, and compose is asked again."""

from collections.abc import Iterator
from dataclasses import replace

from opsctl.deploy.model import (
    DeployOptions,
    DeployPlan,
    Observation,
    ResourcePlan,
    ServiceChange,
    ServicePlan,
    StepKind,
)
from opsctl.deploy.observe import Observer, with_images
from opsctl.deploy.planning.force_recreate import add_forced
from opsctl.deploy.planning.resource_changes import plan_resources
from opsctl.deploy.planning.service_changes import plan_changes, plan_reruns


def plan_again(
    observer: Observer, observation: Observation, plan: DeployPlan, options: DeployOptions
) -> tuple[Observation, DeployPlan]:
    """Return what is known now, and the plan that `up` is held to."""
    now = _observe_again(observer, observation, options)
    changes = add_forced(tuple(plan_changes(now, options)), now, options)
    services = tuple(plan_reruns(now, changes))
    again = replace(
        plan,
        services=tuple(_keep_started(plan, services)),
        resources=tuple(_keep_created(plan, tuple(plan_resources(now)))),
        compose=now.compose,
    )
    # What ran before the first step stays: restarts and completed services are counted from there.
    return replace(now, containers=observation.containers), again


def _observe_again(
    observer: Observer, observation: Observation, options: DeployOptions
) -> Observation:
    inventory = observer.context.inventory
    images = {name: inventory.image(name) for name in observation.image_ids}
    containers = observer.service_containers()
    now = replace(
        with_images(observation, images),
        containers=containers,
        leftovers=(),
        compose=observer.ask_compose(observation.generated, containers, options),
        compose_if_fetched=None,
    )
    return replace(now, compose_upgrade=observer.find_compose_upgrade(now))


def _keep_started(plan: DeployPlan, services: tuple[ServicePlan, ...]) -> Iterator[ServicePlan]:
    """A database that was started for the migration was started by this plan."""
    steps = (step for step in plan.steps if step.kind is StepKind.START)
    started = {name for step in steps for name in step.services}
    before = {planned.service: planned for planned in plan.services if planned.service in started}
    for planned in services:
        is_kept = planned.change is ServiceChange.KEEP
        yield before.get(planned.service, planned) if is_kept else planned


def _keep_created(plan: DeployPlan, resources: tuple[ResourcePlan, ...]) -> Iterator[ResourcePlan]:
    """So were the networks and volumes that it needed."""
    yield from resources
    if any(step.kind is StepKind.START for step in plan.steps):
        names = {found.name for found in resources}
        yield from (found for found in plan.resources if found.name not in names)
