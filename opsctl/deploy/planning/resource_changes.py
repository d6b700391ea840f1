"""Decides what happens to networks and volumes, as compose's dry run says."""

from collections.abc import Iterator

from opsctl.deploy.model import Observation, ResourcePlan
from opsctl.deploy.planning.changed_keys import describe_keys
from opsctl.deploy.planning.compose_actions import ActionKind, ComposeAction, ResourceKind


def plan_resources(observation: Observation) -> Iterator[ResourcePlan]:
    """List the networks and volumes that change; those that stay are not listed."""
    for found in observation.compose.actions if observation.compose else ():
        if found.kind is not ResourceKind.CONTAINER:
            reason = _explain(observation, found)
            yield ResourcePlan(str(found.kind), found.name, str(found.action), reason)


def _explain(observation: Observation, action: ComposeAction) -> str:
    changes = observation.changes
    if action.action is ActionKind.CREATE:
        return "it does not exist"
    if action.action is ActionKind.REMOVE or changes is None:
        return "compose says so"
    is_network = action.kind is ResourceKind.NETWORK
    keys = (changes.networks if is_network else changes.volumes).get(action.name)
    if keys:
        return f"its configuration changed: {describe_keys(keys)}"
    return observation.compose_upgrade or "its configuration changed"
