"""Decides what a deploy does, step by step, and why; pure."""

from collections.abc import Iterator, Mapping

from opsctl.deploy.compose_file import with_dependencies
from opsctl.deploy.model import (
    DeployOptions,
    DeployPlan,
    DeployStep,
    Observation,
    ServiceChange,
    ServiceContainer,
    ServicePlan,
    StepKind,
)
from opsctl.deploy.verify.service_health import is_one_shot

PULL_ALWAYS = "always"
SHORT_ID = 12
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
    steps = tuple(_list_steps(observation, services, fetches, prunes=prunes, notifies=notifies))
    git = observation.git
    return DeployPlan(
        env=observation.target.env,
        project=observation.target.project,
        engine=observation.target.engine_name,
        release=release,
        git_sha=(git.head if git else None) or "",
        git_subject=git.subject if git else "",
        steps=steps if _changes_anything(observation, services, steps) else _idle_steps(services),
        services=services,
        remove_orphans=not options.services,
    )


def select_services(observation: Observation, options: DeployOptions) -> tuple[str, ...]:
    """Name what this deploy covers: all services, or the named ones and their dependencies."""
    if not options.services:
        return observation.generated.services
    return with_dependencies(observation.generated, options.services)


def plan_fetches(observation: Observation, options: DeployOptions) -> tuple[DeployStep, ...]:
    """Build and pull what is missing or may have changed."""
    names = select_services(observation, options)
    steps = (_plan_fetch(observation, name, options) for name in names)
    return tuple(step for step in steps if step is not None)


def _plan_fetch(observation: Observation, name: str, options: DeployOptions) -> DeployStep | None:
    service = observation.generated.service(name)
    is_present = observation.image_ids.get(service.image) is not None
    if service.build is not None:
        reason = _reason_to_build(observation, options, is_present=is_present)
        return DeployStep(StepKind.BUILD, service.image, reason, (name,)) if reason else None
    if not is_present:
        return DeployStep(StepKind.PULL, service.image, "it is not on this engine", (name,))
    if service.pull_policy == PULL_ALWAYS:
        return DeployStep(StepKind.PULL, service.image, "pull_policy: always", (name,))
    return None


def _reason_to_build(observation: Observation, options: DeployOptions, *, is_present: bool) -> str:
    git, current = observation.git, observation.current_release
    if options.build:
        return "--build"
    if not is_present:
        return "its image is not on this engine"
    if git is None or current is None:
        return "its sources may have changed: no commit to compare with"
    if git.dirty or git.untracked or current.is_dirty:
        return "uncommitted changes"
    if git.head != current.git_sha:
        return f"commit {_short_id(git.head)} follows {_short_id(current.git_sha)}"
    return ""


def plan_changes(
    observation: Observation, options: DeployOptions, fetches: tuple[DeployStep, ...]
) -> Iterator[ServicePlan]:
    """Plan for each service what happens to its containers."""
    fetched = frozenset(name for step in fetches for name in step.services)
    for name in select_services(observation, options):
        change, reason = _plan_change(observation, name, is_fetched=name in fetched)
        yield ServicePlan(name, change, reason)
    if not options.services:
        known = observation.generated.services
        orphans = {found.service for found in observation.containers} - set(known)
        for name in sorted(orphans):
            reason = "it is no longer in the compose file"
            yield ServicePlan(name, ServiceChange.REMOVE, reason)


def _plan_change(
    observation: Observation, name: str, *, is_fetched: bool
) -> tuple[ServiceChange, str]:
    service, containers = observation.generated.service(name), observation.containers_of(name)
    if len(containers) < service.replicas:
        return _plan_missing(observation, name, len(containers))
    new_hash = observation.generated.config_hashes.get(name)
    if any(found.config_hash != new_hash for found in containers):
        return ServiceChange.RECREATE, "its configuration changed"
    new_image = observation.image_ids.get(service.image)
    for found in containers:
        if not is_fetched and found.container.image_id != new_image:
            before, after = _short_id(found.container.image_id), _short_id(new_image)
            return ServiceChange.RECREATE, f"its image changed from {before} to {after}"
    return _plan_unchanged(observation, containers, is_fetched=is_fetched)


def _plan_unchanged(
    observation: Observation, containers: tuple[ServiceContainer, ...], *, is_fetched: bool
) -> tuple[ServiceChange, str]:
    stopped = [
        found.container
        for found in containers
        if not found.is_up and not _has_completed(observation, found)
    ]
    if stopped:
        reason = f"it is {stopped[0].state} (exit code {stopped[0].exit_code})"
        return ServiceChange.START, reason
    if is_fetched:
        return ServiceChange.RECREATE_IF_IMAGE_CHANGES, "its image is fetched again"
    return ServiceChange.KEEP, "nothing changed"


def _plan_missing(observation: Observation, name: str, count: int) -> tuple[ServiceChange, str]:
    if _completed_before(observation, name):
        return ServiceChange.KEEP, "it completed, and nothing changed"
    if count:
        replicas = observation.generated.service(name).replicas
        return ServiceChange.CREATE, f"{count} of {replicas} containers exist"
    return ServiceChange.CREATE, "it does not exist"


def _completed_before(observation: Observation, name: str) -> bool:
    """Look in the release log: a clean-up removes the container of a completed one-shot."""
    current, generated = observation.current_release, observation.generated
    if current is None or name not in current.completed:
        return False
    has_same_config = current.config_hashes.get(name) == generated.config_hashes.get(name)
    image = observation.image_ids.get(generated.images[name])
    return has_same_config and current.images.get(name) == image


def _has_completed(observation: Observation, found: ServiceContainer) -> bool:
    has_succeeded = found.container.state == "exited" and found.container.exit_code == 0
    return has_succeeded and is_one_shot(observation.generated.service(found.service))


def _changes_anything(
    observation: Observation, services: tuple[ServicePlan, ...], steps: tuple[DeployStep, ...]
) -> bool:
    changing = {StepKind.REMOVE, StepKind.BUILD, StepKind.PULL, StepKind.MIGRATE}
    if observation.unfinished_release is not None:
        return True
    if any(step.kind in changing for step in steps):
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


def _short_id(name: str | None) -> str:
    return (name or "nothing").removeprefix("sha256:")[:SHORT_ID]


def plan_rollback(
    observation: Observation,
    *,
    release: str,
    fetches: Mapping[str, str],
    origin: str,
    notifies: bool = False,
) -> DeployPlan:
    """Restore a recorded release: fetch missing images, and tag the others by id."""
    services = tuple(plan_changes(observation, DeployOptions(kind="rollback"), ()))
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
    )
