"""Compares what a deploy did with what its plan had; pure."""

from collections.abc import Collection, Iterator, Mapping

from opsctl.deploy.model import DeployPlan, ServiceChange, ServiceContainer
from opsctl.deploy.planning.compose_actions import ActionKind, ResourceKind

RENEWED = frozenset({ActionKind.CREATE, ActionKind.RECREATE})
STARTED = RENEWED | {ActionKind.START, ActionKind.STOP_AND_START}
RESTARTED = frozenset({ActionKind.RECREATE, ActionKind.STOP_AND_START})


def find_deviations(
    plan: DeployPlan, before: Collection[ServiceContainer], after: Collection[ServiceContainer]
) -> Iterator[str]:
    """Describe each container that changed otherwise than planned, right before `up` and now."""
    planned = _planned_actions(plan, before)
    kept = {found.service for found in plan.services if found.change is ServiceChange.KEEP}
    was_asked = plan.compose is not None and plan.compose.was_asked
    old = {found.container.name: found for found in before}
    new = {found.container.name: found for found in after}
    for name in sorted(old.keys() | new.keys()):
        service = (new.get(name) or old[name]).service
        if not was_asked and service not in kept:
            # Our own reading has no actions of single containers.
            continue
        deviation = _compare(old.get(name), new.get(name), planned.get(name))
        if deviation:
            yield f"{service}: container {name} {deviation}"


def _planned_actions(
    plan: DeployPlan, before: Collection[ServiceContainer]
) -> Mapping[str, ActionKind]:
    """Map containers to their action; those that compose leaves are removed by opsctl."""
    removed = {found.service for found in plan.services if found.change is ServiceChange.REMOVE}
    by_opsctl = {
        found.container.name: ActionKind.REMOVE for found in before if found.service in removed
    }
    by_compose = plan.compose.of_kind(ResourceKind.CONTAINER) if plan.compose else {}
    return {**by_opsctl, **by_compose}


def _compare(
    old: ServiceContainer | None, new: ServiceContainer | None, planned: ActionKind | None
) -> str:
    if old is None:
        return "" if planned in RENEWED else "was created, which the plan did not have"
    if new is None:
        # Somebody's clean-up may take a stopped one at any time.
        is_missed = old.is_up and planned is not ActionKind.REMOVE
        return "was removed, which the plan did not have" if is_missed else ""
    if planned is ActionKind.REMOVE:
        return "was to be removed, and is still there"
    if new.container.id != old.container.id:
        return "" if planned in RENEWED else "was recreated, which the plan did not have"
    return _compare_runs(old, new, planned)


def _compare_runs(old: ServiceContainer, new: ServiceContainer, planned: ActionKind | None) -> str:
    before, now = old.container, new.container
    is_same_run = now.started_at == before.started_at
    # What the engine restarts by itself is counted, and is judged as health.
    is_restarted_by_itself = now.restart_count > before.restart_count
    if is_same_run or is_restarted_by_itself or before.state == "restarting":
        return ""
    if old.is_up:
        return "" if planned in RESTARTED else "was restarted, which the plan did not have"
    return "" if planned in STARTED else "was started, which the plan did not have"
