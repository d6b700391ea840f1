"""Decides what a deploy does, step by step, and why; pure."""

from collections.abc import Iterator, Mapping

from opsctl.deploy.model import (
    DeployOptions,
    DeployPlan,
    DeployStep,
    Observation,
    ResourcePlan,
    ServiceChange,
    ServicePlan,
    StepKind,
)
from opsctl.deploy.planning.fetches import plan_fetches
from opsctl.deploy.planning.force_recreate import add_forced
from opsctl.deploy.planning.resource_changes import plan_resources
from opsctl.deploy.planning.service_changes import plan_changes, plan_reruns

PREFLIGHT = DeployStep(StepKind.PREFLIGHT, "checks", "before anything is changed")
RECORD = DeployStep(StepKind.RECORD, "release", "so that it can be found and restored")
NOTIFY = DeployStep(StepKind.NOTIFY, "outcome", "notifications are set up")


def plan_deploy(
    observation: Observation,
    options: DeployOptions,
    *,
    release: str,
    prunes: bool,
    notifies: bool = False,
) -> DeployPlan:
    """List the steps for what was observed; when nothing would change, only the checks remain."""
    fetches = plan_fetches(observation, options)
    services = tuple(plan_changes(observation, options, fetches))
    services = add_forced(services, observation, options)
    resources = tuple(plan_resources(observation))
    is_changing = _changes_anything(observation, services, resources, fetches)
    if is_changing:
        services = tuple(plan_reruns(observation, services))
        steps = tuple(_list_steps(observation, services, fetches, prunes=prunes, notifies=notifies))
    else:
        steps = _idle_steps(services)
    git = observation.git
    return DeployPlan(
        env=observation.target.env,
        project=observation.target.project,
        engine=observation.target.engine_name,
        release=release,
        git_sha=(git.head if git else None) or "",
        git_subject=git.subject if git else "",
        steps=steps,
        services=services,
        resources=resources,
        compose=observation.compose,
        remove_orphans=not options.services,
    )


def _changes_anything(
    observation: Observation,
    services: tuple[ServicePlan, ...],
    resources: tuple[ResourcePlan, ...],
    fetches: tuple[DeployStep, ...],
) -> bool:
    if observation.unfinished_release is not None or observation.leftovers:
        return True
    if resources or fetches or observation.pending_migrations is not None:
        return True
    return any(plan.change is not ServiceChange.KEEP for plan in services)


def _idle_steps(services: tuple[ServicePlan, ...]) -> tuple[DeployStep, ...]:
    names = tuple(plan.service for plan in services)
    verify = DeployStep(StepKind.VERIFY, "services", "nothing changed; check their health", names)
    return PREFLIGHT, verify


def _list_steps(
    observation: Observation,
    services: tuple[ServicePlan, ...],
    fetches: tuple[DeployStep, ...],
    *,
    prunes: bool,
    notifies: bool,
) -> Iterator[DeployStep]:
    names = tuple(plan.service for plan in services if plan.change is not ServiceChange.REMOVE)
    yield from _first_steps(observation)
    yield from sorted(fetches, key=lambda step: step.kind)
    yield from plan_migration(observation)
    yield DeployStep(StepKind.UP, _list_changes(services), _list_reasons(services), names)
    reason = "healthy, right image, right APP_ENV"
    yield DeployStep(StepKind.VERIFY, "services", reason, names)
    yield RECORD
    if prunes:
        reason = "production is cleaned up after each verified deploy"
        yield DeployStep(StepKind.PRUNE, "engine", reason)
    if notifies:
        yield NOTIFY


def _first_steps(observation: Observation) -> Iterator[DeployStep]:
    yield PREFLIGHT
    reason = "one deploy at a time on this engine"
    yield DeployStep(StepKind.LOCK, observation.target.project, reason)
    count = len({found.service for found in observation.containers})
    snapshot = f"{count} services" if count else "nothing runs yet"
    yield DeployStep(StepKind.SNAPSHOT, snapshot, "to restore if this deploy fails")
    for leftover in observation.leftovers:
        yield DeployStep(StepKind.REMOVE, leftover.name, "an interrupted replacement left it")


def plan_migration(observation: Observation) -> Iterator[DeployStep]:
    """Migrate before the new code runs; on a first deploy, start the database for that."""
    if observation.pending_migrations is None:
        return
    names = observation.generated.services
    data_services = [name for name in names if name in observation.stateful_services]
    stopped = tuple(
        name
        for name in data_services
        if not any(found.is_up for found in observation.containers_of(name))
    )
    if stopped:
        reason = "the migration needs it"
        yield DeployStep(StepKind.START, ", ".join(stopped), reason, stopped)
    reason = "the schema must be ready before the new code runs"
    yield DeployStep(StepKind.MIGRATE, observation.pending_migrations, reason)


def _list_changes(services: tuple[ServicePlan, ...]) -> str:
    changed = (plan for plan in services if plan.change is not ServiceChange.KEEP)
    return ", ".join(f"{plan.service}: {plan.change}" for plan in changed) or "services"


def _list_reasons(services: tuple[ServicePlan, ...]) -> str:
    changed = (plan for plan in services if plan.change is not ServiceChange.KEEP)
    return "; ".join(dict.fromkeys(plan.reason for plan in changed)) or "to start what is not up"


def plan_rollback(
    observation: Observation,
    *,
    release: str,
    fetches: Mapping[str, str],
    origin: str,
    notifies: bool = False,
) -> DeployPlan:
    """Restore a recorded release: fetch missing images, and tag the others by id."""
    services = tuple(plan_changes(observation, DeployOptions(kind="rollback")))
    services = tuple(plan_reruns(observation, services))
    names = observation.generated.services
    steps = [
        *_first_steps(observation),
        *(DeployStep(StepKind.FETCH, name, how, (name,)) for name, how in fetches.items()),
        DeployStep(StepKind.TAG, "images", f"as they were tagged in {origin}"),
        DeployStep(StepKind.UP, _list_changes(services), _list_reasons(services), names),
        DeployStep(StepKind.VERIFY, "services", "healthy, right image, right APP_ENV", names),
        RECORD,
    ]
    if notifies:
        steps.append(NOTIFY)
    target, restored = observation.target, observation.current_release
    return DeployPlan(
        env=target.env,
        project=target.project,
        engine=target.engine_name,
        release=release,
        git_sha=restored.git_sha if restored else "",
        git_subject=restored.git_subject if restored else "",
        steps=tuple(steps),
        services=services,
        resources=tuple(plan_resources(observation)),
        compose=observation.compose,
    )
