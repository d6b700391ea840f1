from typing import Any

import pytest

from opsctl.deploy.model import DeployOptions, Observation, ServiceChange, StepKind
from opsctl.deploy.planning.plan import plan_deploy, plan_rollback
from tests.unit.deploy.observations import (
    make_container,
    make_git,
    make_observation,
    make_release,
    make_service_container,
)

WEB: dict[str, Any] = {"image": "web:1"}
BUILT: dict[str, Any] = {"image": "web:1", "build": {"context": "/srv/shop"}}
ONCE: dict[str, Any] = {"image": "once:1"}


def _list_steps(
    observation: Observation, options: DeployOptions | None = None, *, prunes: bool = False
) -> list[str]:
    plan = plan_deploy(observation, options or DeployOptions(), release="r", prunes=prunes)
    return [f"{step.kind}: {step.what}" for step in plan.steps]


def _list_changes(
    observation: Observation, options: DeployOptions | None = None
) -> list[tuple[str, str, str]]:
    plan = plan_deploy(observation, options or DeployOptions(), release="r", prunes=False)
    return [(service.service, service.change.value, service.reason) for service in plan.services]


def test_a_first_deploy_has_every_step_in_its_order() -> None:
    observation = make_observation(
        {"web": BUILT, "db": {"image": "db:1"}}, pending_migrations="001.sql"
    )

    steps = _list_steps(observation, prunes=True)

    assert steps == [
        "preflight: checks",
        "lock: shop-dev",
        "snapshot: nothing runs yet",
        "build: web:1",
        "pull: db:1",
        "migrate: 001.sql",
        "up: db: create, web: create",
        "verify: services",
        "record: release",
        "prune: engine",
    ]


def test_when_nothing_changed_only_the_checks_remain() -> None:
    plan = plan_deploy(
        make_observation({"web": WEB}, make_service_container("web")),
        DeployOptions(),
        release="r",
        prunes=True,
    )

    assert plan.is_idle
    assert [step.kind for step in plan.steps] == [StepKind.PREFLIGHT, StepKind.VERIFY]


@pytest.mark.parametrize(
    ("container", "change", "reason"),
    [
        (make_service_container("web"), ServiceChange.KEEP, "nothing changed"),
        (
            make_service_container("web", config_hash="old"),
            ServiceChange.RECREATE,
            "its configuration changed",
        ),
        (
            make_service_container("web", state="exited", exit_code=3),
            ServiceChange.START,
            "it is exited (exit code 3)",
        ),
        (
            make_service_container("web", state="exited"),
            ServiceChange.KEEP,
            "it completed, and nothing changed",
        ),
    ],
)
def test_a_service_is_changed_for_a_reason(
    container: Any, change: ServiceChange, reason: str
) -> None:
    assert _list_changes(make_observation({"web": WEB}, container)) == [
        ("web", change.value, reason)
    ]


def test_a_service_is_recreated_when_its_image_name_was_moved() -> None:
    observation = make_observation(
        {"web": WEB}, make_service_container("web"), image_ids={"web:1": "sha256:new"}
    )

    assert _list_changes(observation) == [("web", "recreate", "its image changed from web to new")]


def test_a_missing_replica_is_created() -> None:
    observation = make_observation(
        {"web": {**WEB, "deploy": {"replicas": 2}}}, make_service_container("web")
    )

    assert _list_changes(observation) == [("web", "create", "1 of 2 containers exist")]


def test_only_a_full_deploy_removes_services_that_left_the_file() -> None:
    observation = make_observation(
        {"web": WEB}, make_service_container("web"), make_service_container("old")
    )

    whole, part = (
        _list_changes(observation),
        _list_changes(observation, DeployOptions(services=("web",))),
    )

    assert whole[-1] == ("old", "remove", "it is no longer in the compose file")
    assert [name for name, _, _ in part] == ["web"]


def test_a_named_service_is_deployed_with_its_dependencies() -> None:
    services = {"web": {**WEB, "depends_on": {"db": {}}}, "db": {"image": "db:1"}, "other": WEB}

    names = [
        name
        for name, _, _ in _list_changes(
            make_observation(services), DeployOptions(services=("web",))
        )
    ]

    assert names == ["db", "web"]


@pytest.mark.parametrize(
    ("more", "options", "reason"),
    [
        ({}, DeployOptions(), ""),
        ({}, DeployOptions(build=True), "--build"),
        (
            {"git": make_git(head="b" * 40)},
            DeployOptions(),
            "commit bbbbbbbbbbbb follows aaaaaaaaaaaa",
        ),
        ({"git": make_git(dirty=("x",))}, DeployOptions(), "uncommitted changes"),
        ({"git": make_git(untracked=("x",))}, DeployOptions(), "uncommitted changes"),
        ({"current_release": make_release(is_dirty=True)}, DeployOptions(), "uncommitted changes"),
        ({"git": None}, DeployOptions(), "its sources may have changed: no commit to compare with"),
        ({"image_ids": {"web:1": None}}, DeployOptions(), "its image is not on this engine"),
    ],
)
def test_an_image_is_built_when_its_sources_may_have_changed(
    more: dict[str, Any], options: DeployOptions, reason: str
) -> None:
    observation = make_observation({"web": BUILT}, make_service_container("web"), **more)

    plan = plan_deploy(observation, options, release="r", prunes=False)

    assert [s.reason for s in plan.steps if s.kind is StepKind.BUILD] == (
        [reason] if reason else []
    )


def test_an_image_is_pulled_when_it_is_missing_or_pull_policy_is_always() -> None:
    always = make_observation(
        {"web": {**WEB, "pull_policy": "always"}}, make_service_container("web")
    )
    missing = make_observation({"web": WEB})

    assert "pull: web:1" in _list_steps(always)
    assert "pull: web:1" in _list_steps(missing)


def test_a_completed_one_shot_without_a_container_is_not_run_again() -> None:
    completed = make_release(
        completed=("once",), config_hashes={"once": "hash of once"}, images={"once": "sha256:once"}
    )
    observation = make_observation(
        {"once": ONCE}, image_ids={"once:1": "sha256:once"}, current_release=completed
    )

    assert _list_changes(observation) == [("once", "keep", "it completed, and nothing changed")]


def test_a_one_shot_that_changed_is_run_again() -> None:
    completed = make_release(
        completed=("once",), config_hashes={"once": "another"}, images={"once": "sha256:once"}
    )
    observation = make_observation(
        {"once": ONCE}, image_ids={"once:1": "sha256:once"}, current_release=completed
    )

    assert _list_changes(observation) == [("once", "create", "it does not exist")]


def test_a_release_that_was_cut_off_is_continued_even_when_nothing_differs() -> None:
    observation = make_observation(
        {"web": WEB},
        make_service_container("web"),
        unfinished_release=make_release(outcome="running"),
    )

    assert "up: services" in _list_steps(observation)


def test_leftovers_are_removed_first() -> None:
    leftover = make_container("web", name="0123456789ab_shop-dev-web-1", state="created")

    steps = _list_steps(
        make_observation({"web": WEB}, make_service_container("web"), leftovers=(leftover,))
    )

    assert steps[3] == "remove: 0123456789ab_shop-dev-web-1"


def test_a_database_is_started_for_the_migration_only_when_it_is_stopped() -> None:
    volumes = [{"type": "volume", "source": "data", "target": "/d"}]
    services = {"db": {"image": "postgres:17", "volumes": volumes}}
    stopped = make_observation(services, pending_migrations="001.sql")
    started = make_observation(
        services, make_service_container("db", image="postgres:17"), pending_migrations="001.sql"
    )

    assert _list_steps(stopped)[4:6] == ["start: db", "migrate: 001.sql"]
    assert _list_steps(started)[3] == "migrate: 001.sql"


def test_a_rollback_fetches_missing_images_and_tags_the_others() -> None:
    plan = plan_rollback(
        make_observation({"web": WEB}, make_service_container("web", config_hash="new")),
        release="r",
        fetches={"web": "build it from commit aaa"},
        origin="dev-1",
    )

    acts = [step.kind for step in plan.steps]
    assert acts[3:5] == [StepKind.FETCH, StepKind.TAG]
    assert plan.services[0].change is ServiceChange.RECREATE
