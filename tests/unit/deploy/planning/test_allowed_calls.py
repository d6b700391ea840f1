from dataclasses import replace
from typing import Any

import pytest

from opsctl.deploy.model import DeployOptions, DeployPlan, Observation
from opsctl.deploy.planning.allowed_calls import allow_plan
from opsctl.deploy.planning.compose_actions import (
    ActionKind,
    ComposeAction,
    ComposeActions,
    ResourceKind,
)
from opsctl.deploy.planning.plan import plan_deploy
from opsctl.systems.engine.guarded_engine import (
    CREATING,
    RECREATING,
    REMOVING,
    RESTARTING,
    STARTING,
    AllowedCalls,
)
from tests.unit.deploy.observations import make_observation, make_service_container

WEB = "shop-dev-web-1"


def plan(observation: Observation, compose: ComposeActions | None) -> DeployPlan:
    made = plan_deploy(observation, DeployOptions(), release="r", prunes=False)
    return replace(made, compose=compose)


def allow(
    compose: ComposeActions | None, service: dict[str, Any] | None = None, **container: Any
) -> AllowedCalls:
    services = {"web": {"image": "web:1", **(service or {})}}
    observation = make_observation(services, make_service_container("web", **container))
    rendered = observation.generated.rendered
    return allow_plan(plan(observation, compose), rendered, observation.containers)


def actions(*found: tuple[ResourceKind, str, ActionKind]) -> ComposeActions:
    return ComposeActions(tuple(ComposeAction(*each) for each in found))


@pytest.mark.parametrize(
    ("action", "allowed"),
    [
        (ActionKind.CREATE, CREATING),
        (ActionKind.RECREATE, RECREATING),
        (ActionKind.START, STARTING),
        (ActionKind.STOP_AND_START, RESTARTING),
        (ActionKind.REMOVE, REMOVING),
    ],
)
def test_each_action_of_a_container_has_its_calls(
    action: ActionKind, allowed: frozenset[str]
) -> None:
    assert allow(actions((ResourceKind.CONTAINER, WEB, action))).containers == {WEB: allowed}


def test_networks_may_be_replaced_and_volumes_only_created() -> None:
    allowed = allow(
        actions(
            (ResourceKind.NETWORK, "new", ActionKind.CREATE),
            (ResourceKind.NETWORK, "changed", ActionKind.RECREATE),
            (ResourceKind.NETWORK, "old", ActionKind.REMOVE),
            (ResourceKind.VOLUME, "data", ActionKind.CREATE),
            (ResourceKind.VOLUME, "changed", ActionKind.RECREATE),
        )
    )

    assert allowed.networks == {
        "new": {"create"},
        "changed": {"create", "remove"},
        "old": {"remove"},
    }
    assert allowed.volumes == {"data": {"create"}, "changed": {"create"}}


@pytest.mark.parametrize(
    ("service", "container", "allowed"),
    [
        ({}, {}, {}),
        ({"restart": "no"}, {"state": "exited"}, {}),
        ({"restart": "always"}, {"state": "exited"}, {}),
        ({"restart": "on-failure"}, {"state": "restarting"}, {WEB: STARTING}),
        ({"restart": "always"}, {"state": "running"}, {WEB: STARTING}),
    ],
)
def test_of_what_is_kept_only_what_restarts_by_itself_may_be_started(
    service: dict[str, Any], container: dict[str, Any], allowed: dict[str, frozenset[str]]
) -> None:
    assert allow(ComposeActions(), service, **container) == AllowedCalls(allowed)


@pytest.mark.parametrize("compose", [None, ComposeActions(was_asked=False)])
def test_without_an_answer_of_compose_only_this_project_may_change(
    compose: ComposeActions | None,
) -> None:
    assert allow(compose) == AllowedCalls(project="shop-dev")


def test_what_was_asked_for_may_be_recreated() -> None:
    observation = make_observation({"web": {"image": "web:1"}}, make_service_container("web"))
    compose = actions((ResourceKind.CONTAINER, WEB, ActionKind.START))
    rendered = observation.generated.rendered

    allowed = allow_plan(
        plan(observation, compose), rendered, observation.containers, forced=("web",)
    )

    assert allowed == AllowedCalls({WEB: RECREATING})
