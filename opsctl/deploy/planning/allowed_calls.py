"""Decides which calls to the engine a plan allows; pure."""

from collections.abc import Collection

from opsctl.deploy.model import DeployPlan, ServiceContainer
from opsctl.deploy.planning.compose_actions import ActionKind, ResourceKind
from opsctl.deploy.verify.service_health import is_one_shot
from opsctl.systems.engine.compose_model import RenderedProject
from opsctl.systems.engine.guarded_engine import (
    CREATING,
    RECREATING,
    REMOVING,
    REPLACING,
    RESTARTING,
    STARTING,
    Action,
    Actions,
    AllowedCalls,
)

ONLY_CREATING: Actions = frozenset({Action.CREATE})
OF_CONTAINERS: dict[ActionKind, Actions] = {
    ActionKind.CREATE: CREATING,
    ActionKind.RECREATE: RECREATING,
    ActionKind.START: STARTING,
    ActionKind.STOP_AND_START: RESTARTING,
    ActionKind.REMOVE: REMOVING,
}
OF_NETWORKS: dict[ActionKind, Actions] = {
    ActionKind.CREATE: ONLY_CREATING,
    ActionKind.RECREATE: REPLACING,
    ActionKind.REMOVE: frozenset({Action.REMOVE}),
}
# A volume is data: it is never removed, whatever the plan says.
OF_VOLUMES: dict[ActionKind, Actions] = {
    ActionKind.CREATE: ONLY_CREATING,
    ActionKind.RECREATE: ONLY_CREATING,
}


def allow_plan(
    plan: DeployPlan,
    rendered: RenderedProject,
    containers: Collection[ServiceContainer],
    *,
    forced: Collection[str] = (),
) -> AllowedCalls:
    """Allow what compose said that it will do; where it did not say, this project only.

    The `forced` services are recreated because somebody asked for it.
    """
    compose = plan.compose
    if compose is None or not compose.was_asked:
        return AllowedCalls(project=plan.project)
    kept = {
        found.container.name: STARTING for found in containers if _starts_by_itself(found, rendered)
    }
    asked = {found.container.name: RECREATING for found in containers if found.service in forced}
    planned = compose.of_kind(ResourceKind.CONTAINER).items()
    networks = compose.of_kind(ResourceKind.NETWORK).items()
    volumes = compose.of_kind(ResourceKind.VOLUME).items()
    return AllowedCalls(
        containers=kept | {name: OF_CONTAINERS[action] for name, action in planned} | asked,
        networks={name: OF_NETWORKS.get(action, frozenset()) for name, action in networks},
        volumes={name: OF_VOLUMES.get(action, frozenset()) for name, action in volumes},
    )


def _starts_by_itself(found: ServiceContainer, rendered: RenderedProject) -> bool:
    """Whether the engine itself may be restarting it just now; compose then starts it, too."""
    if found.container.state == "restarting":
        return True
    service = rendered.services.get(found.service)
    return found.container.state == "running" and service is not None and not is_one_shot(service)
