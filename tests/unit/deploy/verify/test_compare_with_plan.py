from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from opsctl.deploy.model import DeployOptions, DeployPlan, ServiceContainer
from opsctl.deploy.planning.compose_actions import (
    ActionKind,
    ComposeAction,
    ComposeActions,
    ResourceKind,
)
from opsctl.deploy.planning.plan import plan_deploy
from opsctl.deploy.verify.compare_with_plan import find_deviations
from tests.unit.deploy.observations import NOW, make_observation, make_service_container

WEB = "shop-dev-web-1"
RAN: dict[str, Any] = {}
STOPPED: dict[str, Any] = {"state": "exited"}
RESTARTED: dict[str, Any] = {"started_at": NOW}
NEW: dict[str, Any] = {"id": "another", "started_at": NOW}


def plan(action: ActionKind | None, *, was_asked: bool = True) -> DeployPlan:
    observation = make_observation({"web": {"image": "web:1"}}, make_service_container("web"))
    made = plan_deploy(observation, DeployOptions(), release="r", prunes=False)
    found = (ComposeAction(ResourceKind.CONTAINER, WEB, action, "web"),) if action else ()
    return replace(made, compose=ComposeActions(found, was_asked))


def containers(more: dict[str, Any] | None) -> tuple[ServiceContainer, ...]:
    return () if more is None else (make_service_container("web", **more),)


@pytest.mark.parametrize(
    ("planned", "before", "after"),
    [
        (None, RAN, RAN),
        (None, STOPPED, STOPPED),
        (None, RAN, {**RESTARTED, "restart_count": 1}),
        (None, {"state": "restarting"}, RESTARTED),
        # Somebody's clean-up.
        (None, STOPPED, None),
        (ActionKind.CREATE, None, NEW),
        # Lost a race: somebody had removed it meanwhile.
        (ActionKind.RECREATE, None, NEW),
        (ActionKind.RECREATE, RAN, NEW),
        (ActionKind.RECREATE, RAN, RAN),
        (ActionKind.START, STOPPED, RESTARTED),
        (ActionKind.STOP_AND_START, RAN, RESTARTED),
        (ActionKind.REMOVE, RAN, None),
    ],
)
def test_what_was_planned_is_no_deviation(
    planned: ActionKind | None, before: dict[str, Any] | None, after: dict[str, Any] | None
) -> None:
    assert list(find_deviations(plan(planned), containers(before), containers(after))) == []


@pytest.mark.parametrize(
    ("planned", "before", "after", "words"),
    [
        (None, None, NEW, "was created"),
        (None, RAN, NEW, "was recreated"),
        (None, STOPPED, NEW, "was recreated"),
        (None, RAN, RESTARTED, "was restarted"),
        (None, STOPPED, RESTARTED, "was started"),
        (None, RAN, None, "was removed"),
        (ActionKind.START, RAN, RESTARTED, "was restarted"),
        (ActionKind.START, STOPPED, NEW, "was recreated"),
        (ActionKind.STOP_AND_START, RAN, NEW, "was recreated"),
        (ActionKind.RECREATE, RAN, None, "was removed"),
        (ActionKind.REMOVE, RAN, RAN, "was to be removed, and is still there"),
    ],
)
def test_what_was_not_planned_is_named(
    planned: ActionKind | None,
    before: dict[str, Any] | None,
    after: dict[str, Any] | None,
    words: str,
) -> None:
    (deviation,) = find_deviations(plan(planned), containers(before), containers(after))

    assert deviation.startswith(f"web: container {WEB} {words}")


def test_what_opsctl_itself_removes_was_planned_too() -> None:
    gone = make_service_container("old")
    made = make_observation({"web": {"image": "web:1"}}, make_service_container("web"), gone)
    planned = replace(
        plan_deploy(made, DeployOptions(), release="r", prunes=False), compose=ComposeActions()
    )

    assert list(find_deviations(planned, made.containers, containers(RAN))) == []
    (deviation,) = find_deviations(planned, made.containers, made.containers)
    assert "shop-dev-old-1 was to be removed" in deviation


def test_where_compose_was_not_asked_what_the_plan_keeps_is_compared() -> None:
    kept = plan(None, was_asked=False)
    changed = replace(kept, services=())

    assert len(list(find_deviations(kept, containers(RAN), containers(NEW)))) == 1
    assert list(find_deviations(changed, containers(RAN), containers(NEW))) == []


def test_an_earlier_start_is_another_run_as_well() -> None:
    earlier = {"started_at": NOW - timedelta(days=1)}

    assert list(find_deviations(plan(None), containers(RAN), containers(earlier)))
