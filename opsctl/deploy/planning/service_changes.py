"""Decides what happens to each service: compose's dry run says what, our own reading says why."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from opsctl.deploy.model import (
    DeployOptions,
    DeployStep,
    Observation,
    ServiceChange,
    ServicePlan,
)
from opsctl.deploy.planning.changed_keys import KeyChange, describe_keys
from opsctl.deploy.planning.compose_actions import ActionKind, ComposeActions, ResourceKind
from opsctl.deploy.planning.fetches import select_services
from opsctl.deploy.planning.own_reading import (
    COMPLETED,
    FETCHED,
    UNCHANGED,
    completed_before,
    find_changed_image,
    has_completed,
    plan_without_compose,
    read_change,
)

SHOWN_FILES = 3
DISRUPTED = frozenset({ServiceChange.RECREATE, ServiceChange.STOP_AND_START})


def plan_changes(
    observation: Observation, options: DeployOptions, fetches: tuple[DeployStep, ...] = ()
) -> Iterator[ServicePlan]:
    """Plan for each service what happens to its containers."""
    fetched = frozenset(name for step in fetches for name in step.services)
    names = select_services(observation, options)
    compose = observation.compose
    if compose is not None and compose.was_asked:
        for name in names:
            yield _plan_by_compose(observation, compose, name, fetched)
    else:
        yield from plan_without_compose(observation, names, fetched)
    if not options.services:
        yield from _plan_removals(observation)


def plan_reruns(observation: Observation, plans: Sequence[ServicePlan]) -> Iterator[ServicePlan]:
    """Whatever completed runs again in each deploy that changes anything, as with compose."""
    for plan in plans:
        if plan.change is not ServiceChange.KEEP or plan.reason != COMPLETED:
            yield plan
        elif observation.containers_of(plan.service):
            reason = "it completed, and compose starts it again"
            yield replace(plan, change=ServiceChange.START, reason=reason)
        else:
            reason = "it completed and was cleaned up; compose runs it again"
            yield replace(plan, change=ServiceChange.CREATE, reason=reason)


def _plan_by_compose(
    observation: Observation, compose: ComposeActions, name: str, fetched: frozenset[str]
) -> ServicePlan:
    change = _sum_up(observation, compose, name)
    if change in {ServiceChange.KEEP, ServiceChange.START, ServiceChange.STOP_AND_START}:
        if_fetched = _plan_if_fetched(observation, name, fetched)
        if if_fetched is not None:
            return if_fetched
    if _is_rerun(observation, name, change):
        return ServicePlan(name, ServiceChange.KEEP, COMPLETED)
    reason = _explain(observation, compose, name, change)
    return ServicePlan(name, change, reason, keys=_find_keys(observation, name, change))


def _sum_up(observation: Observation, compose: ComposeActions, name: str) -> ServiceChange:
    """Name what happens to a service by the most that happens to one of its containers."""
    actions = [found.action for found in compose.of_service(name)]
    if ActionKind.RECREATE in actions:
        return ServiceChange.RECREATE
    if ActionKind.STOP_AND_START in actions:
        return ServiceChange.STOP_AND_START
    if ActionKind.CREATE in actions:
        return ServiceChange.CREATE
    removed = actions.count(ActionKind.REMOVE)
    if removed:
        is_all = removed == len(observation.containers_of(name))
        return ServiceChange.REMOVE if is_all else ServiceChange.SCALE_DOWN
    return ServiceChange.START if actions else ServiceChange.KEEP


def _is_rerun(observation: Observation, name: str, change: ServiceChange) -> bool:
    containers = observation.containers_of(name)
    if change is ServiceChange.CREATE:
        return not containers and completed_before(observation, name)
    if change not in {ServiceChange.KEEP, ServiceChange.START}:
        return False
    stopped = [found for found in containers if not found.is_up]
    return bool(stopped) and all(has_completed(observation, found) for found in stopped)


def _explain(
    observation: Observation, compose: ComposeActions, name: str, change: ServiceChange
) -> str:
    own_change, own_reason = read_change(observation, name)
    match change:
        case ServiceChange.KEEP:
            return UNCHANGED
        case ServiceChange.SCALE_DOWN:
            count = len(observation.containers_of(name))
            wanted = observation.generated.service(name).replicas
            return f"{count} containers exist, {wanted} wanted"
        case ServiceChange.RECREATE | ServiceChange.STOP_AND_START:
            return _explain_disruption(observation, compose, name)
        case ServiceChange.START if own_change is not change:
            states = {found.container.state for found in observation.containers_of(name)}
            return "it is paused" if "paused" in states else "it does not run"
        case _ if own_change is change:
            return own_reason
        case _:
            return "it does not exist"


def _explain_disruption(observation: Observation, compose: ComposeActions, name: str) -> str:
    """Say why a container is recreated, or stopped and started: the nearest cause comes first."""
    if files := observation.generated.changed_files.get(name):
        more = f" and {len(files) - SHOWN_FILES} more" if len(files) > SHOWN_FILES else ""
        return f"mounted files changed: {', '.join(files[:SHOWN_FILES])}{more}"
    keys = observation.changes.services.get(name) if observation.changes else None
    if keys:
        return f"its configuration changed: {describe_keys(keys)}"
    if reason := find_changed_image(observation, name):
        return reason
    if causes := ", ".join(_list_causes(observation, compose, name)):
        return causes
    if observation.compose_upgrade:
        return observation.compose_upgrade
    own_change, own_reason = read_change(observation, name)
    return own_reason if own_change is ServiceChange.RECREATE else "compose says so"


def _find_keys(observation: Observation, name: str, change: ServiceChange) -> tuple[KeyChange, ...]:
    if observation.changes is None or change is not ServiceChange.RECREATE:
        return ()
    return observation.changes.services.get(name, ())


def _list_causes(observation: Observation, compose: ComposeActions, name: str) -> Iterator[str]:
    service = observation.generated.service(name)
    for other in service.depends_on:
        if ActionKind.RECREATE in {found.action for found in compose.of_service(other)}:
            yield f"{other} is recreated"
    networks = compose.of_kind(ResourceKind.NETWORK)
    for key in service.networks:
        network = observation.generated.rendered.networks.get(key, "")
        if networks.get(network) is ActionKind.RECREATE:
            yield f"network {network} is recreated"


def _plan_if_fetched(
    observation: Observation, name: str, fetched: frozenset[str]
) -> ServicePlan | None:
    """Plan for an image that is not there yet: it may change, and dependents may follow."""
    if not observation.containers_of(name):
        return None
    change = ServiceChange.RECREATE_IF_IMAGE_CHANGES
    if name in fetched:
        return ServicePlan(name, change, FETCHED)
    followed = observation.compose_if_fetched
    if followed is None or _sum_up(observation, followed, name) not in DISRUPTED:
        return None
    causes = ", ".join(_list_causes(observation, followed, name)) or "another image changes"
    return ServicePlan(name, change, f"if {causes}")


def _plan_removals(observation: Observation) -> Iterator[ServicePlan]:
    known = observation.generated.rendered.services
    present = {found.service for found in observation.containers}
    for name in sorted(present - set(observation.generated.services)):
        if name not in known:
            reason = "it is no longer in the compose file"
        elif known[name].replicas == 0:
            reason = "replicas: 0"
        else:
            reason = "its profile is not active"
        yield ServicePlan(name, ServiceChange.REMOVE, reason)
