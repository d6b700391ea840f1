"""Compose's dry run says what happens; opsctl's own reading says why."""

from typing import Any

import pytest

from opsctl.deploy.model import DeployOptions, Observation
from opsctl.deploy.planning.changed_keys import KeyChange, ProjectChanges
from opsctl.deploy.planning.compose_actions import (
    ActionKind,
    ComposeAction,
    ComposeActions,
    ResourceKind,
)
from opsctl.deploy.planning.plan import plan_deploy
from opsctl.deploy.preflight.stateful_services import check_stateful_services
from tests.unit.deploy.observations import (
    make_observation,
    make_preflight_input,
    make_release,
    make_service_container,
    run_check,
)

DATA = [{"type": "volume", "source": "data", "target": "/d"}]
DB: dict[str, Any] = {"image": "postgres:17", "volumes": DATA}
WEB: dict[str, Any] = {"image": "web:1", "depends_on": {"db": {}}}
ONCE: dict[str, Any] = {"image": "once:1"}
BUILT: dict[str, Any] = {"image": "app:1", "build": {"context": "/srv/shop"}}


def say(*actions: tuple[str, ActionKind], kind: ResourceKind = ResourceKind.CONTAINER) -> Any:
    return ComposeActions(
        tuple(ComposeAction(kind, f"shop-dev-{name}-1", action, name) for name, action in actions)
    )


def db_and_web(compose: ComposeActions, **more: Any) -> Observation:
    return make_observation(
        {"db": DB, "web": WEB},
        make_service_container("db", image="postgres:17"),
        make_service_container("web"),
        compose=compose,
        **more,
    )


def list_changes(observation: Observation, **options: Any) -> list[tuple[str, str, str]]:
    plan = plan_deploy(observation, DeployOptions(**options), release="r", prunes=False)
    return [(found.service, str(found.change), found.reason) for found in plan.services]


def test_a_dependent_that_compose_recreates_is_in_the_plan_with_its_cause() -> None:
    compose = say(("db", ActionKind.RECREATE), ("web", ActionKind.RECREATE))
    changes = ProjectChanges({"db": (KeyChange("environment.X", "1", "2"),)})

    assert list_changes(db_and_web(compose, changes=changes)) == [
        ("db", "recreate", "its configuration changed: environment.X: 1 -> 2"),
        ("web", "recreate", "db is recreated"),
    ]


def test_without_compose_dependents_are_taken_to_be_recreated_too() -> None:
    observation = make_observation(
        {"db": DB, "web": WEB, "edge": {"image": "edge:1", "depends_on": {"web": {}}}},
        make_service_container("db", image="postgres:17", config_hash="old"),
        make_service_container("web"),
        make_service_container("edge"),
        compose=ComposeActions(was_asked=False),
    )

    assert list_changes(observation) == [
        ("db", "recreate", "its configuration changed"),
        ("edge", "recreate", "web is recreated"),
        ("web", "recreate", "db is recreated"),
    ]


def test_a_hash_that_differs_is_no_change_when_compose_keeps_the_container() -> None:
    observation = make_observation(
        {"web": {"image": "web:1"}},
        make_service_container("web", config_hash="of container:abc"),
        compose=say(),
    )

    plan = plan_deploy(observation, DeployOptions(), release="r", prunes=False)

    assert plan.is_idle


@pytest.mark.parametrize(
    "action", [ActionKind.RECREATE, ActionKind.STOP_AND_START, ActionKind.REMOVE]
)
def test_a_database_that_compose_would_touch_is_refused(action: ActionKind) -> None:
    observation = db_and_web(say(("db", action)))

    assert run_check(check_stateful_services, observation) == [("stateful service", False)]
    assert run_check(check_stateful_services, observation, DeployOptions(allow_stateful=True)) == [
        ("stateful service", True)
    ]


def test_a_network_that_is_recreated_is_a_row_and_the_reason() -> None:
    stops = say(("web", ActionKind.STOP_AND_START)).actions
    network = ComposeAction(ResourceKind.NETWORK, "shop_n", ActionKind.RECREATE)
    observation = make_observation(
        {"web": {"image": "web:1", "networks": {"n": None}}},
        make_service_container("web"),
        networks={"n": {"name": "shop_n"}},
        compose=ComposeActions((*stops, network)),
        changes=ProjectChanges(networks={"shop_n": (KeyChange("labels.x", "1", "2"),)}),
    )

    plan = plan_deploy(observation, DeployOptions(), release="r", prunes=False)

    assert [(r.kind, r.name, r.change, r.reason) for r in plan.resources] == [
        ("network", "shop_n", "recreate", "its configuration changed: labels.x: 1 -> 2")
    ]
    assert [(s.change, s.reason) for s in plan.services] == [
        ("stop and start", "network shop_n is recreated")
    ]


def test_scaling_down_is_a_change_and_so_is_scaling_to_nothing() -> None:
    two = ComposeActions(
        (ComposeAction(ResourceKind.CONTAINER, "shop-dev-web-2", ActionKind.REMOVE, "web"),)
    )
    containers = make_service_container("web"), make_service_container("web", name="shop-dev-web-2")
    down = make_observation({"web": {"image": "web:1"}}, *containers, compose=two)
    gone = make_observation(
        {"web": {"image": "web:1", "deploy": {"replicas": 0}}}, containers[0], compose=say()
    )

    assert list_changes(down) == [("web", "scale down", "2 containers exist, 1 wanted")]
    assert list_changes(gone) == [("web", "remove", "replicas: 0")]


def test_a_service_whose_profile_is_off_is_removed_for_that_reason() -> None:
    observation = make_observation(
        {"web": {"image": "web:1"}, "tool": {"image": "tool:1", "profiles": ["x"]}},
        make_service_container("web"),
        make_service_container("tool"),
        compose=say(),
    )

    assert list_changes(observation)[-1] == ("tool", "remove", "its profile is not active")


def test_a_completed_one_shot_is_kept_alone_and_run_again_with_any_change() -> None:
    job = make_service_container("once", state="exited")
    alone = make_observation(
        {"once": ONCE, "web": {"image": "web:1"}},
        job,
        make_service_container("web"),
        compose=say(("once", ActionKind.START)),
    )
    changed = make_observation(
        {"once": ONCE, "web": {"image": "web:1"}},
        job,
        make_service_container("web"),
        compose=say(("once", ActionKind.START), ("web", ActionKind.RECREATE)),
    )

    assert list_changes(alone)[0] == ("once", "keep", "it completed, and nothing changed")
    assert list_changes(changed)[0] == (
        "once",
        "start",
        "it completed, and compose starts it again",
    )


def test_a_completed_one_shot_runs_again_when_its_volume_is_gone() -> None:
    completed = make_release(
        completed=("once",), config_hashes={"once": "hash of once"}, images={"once": "sha256:once"}
    )
    volume = ComposeAction(ResourceKind.VOLUME, "shop_data", ActionKind.CREATE)
    observation = make_observation(
        {"once": ONCE},
        image_ids={"once:1": "sha256:once"},
        current_release=completed,
        compose=ComposeActions((*say(("once", ActionKind.CREATE)).actions, volume)),
    )

    assert list_changes(observation) == [
        ("once", "create", "it completed and was cleaned up; compose runs it again")
    ]


def test_who_would_follow_an_image_that_is_built_is_in_the_plan() -> None:
    observation = make_observation(
        {"app": BUILT, "web": {"image": "web:1", "depends_on": {"app": {}}}},
        make_service_container("app", image="app:1"),
        make_service_container("web"),
        compose=say(),
        compose_if_fetched=say(("app", ActionKind.RECREATE), ("web", ActionKind.RECREATE)),
    )

    assert list_changes(observation, build=True) == [
        ("app", "recreate if its image changes", "its image is fetched again"),
        ("web", "recreate if its image changes", "if app is recreated"),
    ]


def test_an_upgrade_of_compose_is_the_reason_where_nothing_else_changed() -> None:
    upgrade = "compose was upgraded from 2.26.1 to 5.6.0"
    observation = db_and_web(
        say(("web", ActionKind.RECREATE)), changes=ProjectChanges(), compose_upgrade=upgrade
    )

    assert list_changes(observation)[1] == ("web", "recreate", upgrade)


def test_one_name_is_built_once_and_never_pulled() -> None:
    observation = make_observation({"web": BUILT, "worker": {"image": "app:1"}})

    steps = make_preflight_input(observation).plan.steps

    assert [(s.kind, s.what, s.services) for s in steps if s.what == "app:1"] == [
        ("build", "app:1", ("web", "worker"))
    ]


def test_a_named_service_whose_image_another_one_builds_is_not_pulled_either() -> None:
    observation = make_observation({"web": BUILT, "worker": {"image": "app:1"}})

    plan = plan_deploy(observation, DeployOptions(("worker",)), release="r", prunes=False)

    assert [(s.kind, s.services) for s in plan.steps if s.what == "app:1"] == [
        ("build", ("worker",))
    ]
