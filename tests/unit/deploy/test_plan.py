from typing import Any

import pytest

from opsctl.deploy.model import Act, Change, Seen, Wish
from opsctl.deploy.plan import plan, rollback_plan
from tests.unit.deploy.worlds import container, git, release, running, seen

WEB: dict[str, Any] = {"image": "web:1"}
BUILT: dict[str, Any] = {"image": "web:1", "build": {"context": "/srv/shop"}}
ONCE: dict[str, Any] = {"image": "once:1"}


def _acts(world: Seen, wish: Wish | None = None, *, prunes: bool = False) -> list[str]:
    planned = plan(world, wish or Wish(), release="r", prunes=prunes)
    return [f"{step.act}: {step.what}" for step in planned.steps]


def _change(world: Seen, wish: Wish | None = None) -> list[tuple[str, str, str]]:
    planned = plan(world, wish or Wish(), release="r", prunes=False)
    return [(one.service, one.change.value, one.reason) for one in planned.services]


def test_a_first_deploy_has_every_step_in_its_order() -> None:
    world = seen({"web": BUILT, "db": {"image": "db:1"}}, migration="001.sql")

    steps = _acts(world, prunes=True)

    assert steps == [
        "preflight: guards",
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


def test_when_nothing_changed_only_the_looking_is_left() -> None:
    planned = plan(seen({"web": WEB}, running("web")), Wish(), release="r", prunes=True)

    assert planned.is_idle
    assert [step.act for step in planned.steps] == [Act.PREFLIGHT, Act.VERIFY]


@pytest.mark.parametrize(
    ("run", "change", "reason"),
    [
        (running("web"), Change.KEEP, "nothing changed"),
        (running("web", config_hash="old"), Change.RECREATE, "its configuration changed"),
        (
            running("web", state="exited", exit_code=3),
            Change.START,
            "it is exited (exit code 3)",
        ),
        (running("web", state="exited"), Change.KEEP, "nothing changed"),
    ],
)
def test_a_service_is_changed_for_a_reason(run: Any, change: Change, reason: str) -> None:
    assert _change(seen({"web": WEB}, run)) == [("web", change.value, reason)]


def test_an_image_whose_name_means_another_one_now_is_a_reason() -> None:
    world = seen({"web": WEB}, running("web"), image_ids={"web:1": "sha256:new"})

    assert _change(world) == [("web", "recreate", "its image changed from web to new")]


def test_a_missing_replica_is_created() -> None:
    world = seen({"web": {**WEB, "deploy": {"replicas": 2}}}, running("web"))

    assert _change(world) == [("web", "create", "1 of 2 containers are there")]


def test_what_left_the_file_is_removed_only_by_a_whole_deploy() -> None:
    world = seen({"web": WEB}, running("web"), running("old"))

    whole, part = _change(world), _change(world, Wish(services=("web",)))

    assert whole[-1] == ("old", "remove", "it is not in the compose file any more")
    assert [name for name, _, _ in part] == ["web"]


def test_a_named_service_brings_what_it_depends_on() -> None:
    services = {"web": {**WEB, "depends_on": {"db": {}}}, "db": {"image": "db:1"}, "other": WEB}

    names = [name for name, _, _ in _change(seen(services), Wish(services=("web",)))]

    assert names == ["db", "web"]


@pytest.mark.parametrize(
    ("more", "wish", "reason"),
    [
        ({}, Wish(), ""),
        ({}, Wish(build=True), "--build"),
        ({"git": git(head="b" * 40)}, Wish(), "commit bbbbbbbbbbbb follows aaaaaaaaaaaa"),
        ({"git": git(dirty=("x",))}, Wish(), "uncommitted changes"),
        ({"git": git(untracked=("x",))}, Wish(), "uncommitted changes"),
        ({"live": release(is_dirty=True)}, Wish(), "uncommitted changes"),
        ({"git": None}, Wish(), "its sources may have changed: no commit to compare with"),
        ({"image_ids": {"web:1": None}}, Wish(), "its image is not on this engine"),
    ],
)
def test_an_image_is_built_when_its_sources_may_have_changed(
    more: dict[str, Any], wish: Wish, reason: str
) -> None:
    world = seen({"web": BUILT}, running("web"), **more)

    planned = plan(world, wish, release="r", prunes=False)

    assert [s.reason for s in planned.steps if s.act is Act.BUILD] == ([reason] if reason else [])


def test_an_image_is_pulled_when_it_is_missing_or_always_wanted() -> None:
    always = seen({"web": {**WEB, "pull_policy": "always"}}, running("web"))
    missing = seen({"web": WEB})

    assert "pull: web:1" in _acts(always)
    assert "pull: web:1" in _acts(missing)


def test_a_one_shot_that_was_cleaned_up_is_not_run_again() -> None:
    ended = release(
        completed=("once",), hashes={"once": "hash of once"}, images={"once": "sha256:once"}
    )
    world = seen({"once": ONCE}, image_ids={"once:1": "sha256:once"}, live=ended)

    assert _change(world) == [("once", "keep", "it ended well, and nothing changed")]


def test_a_one_shot_that_changed_is_run_again() -> None:
    ended = release(completed=("once",), hashes={"once": "another"}, images={"once": "sha256:once"})
    world = seen({"once": ONCE}, image_ids={"once:1": "sha256:once"}, live=ended)

    assert _change(world) == [("once", "create", "it is not there")]


def test_a_cut_off_release_is_gone_on_with_even_when_nothing_differs() -> None:
    world = seen({"web": WEB}, running("web"), unfinished=release(outcome="running"))

    assert "up: services" in _acts(world)


def test_left_overs_are_swept_first() -> None:
    left_over = container("web", name="0123456789ab_shop-dev-web-1", state="created")

    steps = _acts(seen({"web": WEB}, running("web"), left_over=(left_over,)))

    assert steps[3] == "sweep: 0123456789ab_shop-dev-web-1"


def test_a_database_is_started_for_the_migration_only_when_it_sleeps() -> None:
    volumes = [{"type": "volume", "source": "data", "target": "/d"}]
    services = {"db": {"image": "postgres:17", "volumes": volumes}}
    asleep = seen(services, migration="001.sql")
    awake = seen(services, running("db", image="postgres:17"), migration="001.sql")

    assert _acts(asleep)[4:6] == ["start: db", "migrate: 001.sql"]
    assert _acts(awake)[3] == "migrate: 001.sql"


def test_a_way_back_fetches_what_is_missing_and_names_what_is_there() -> None:
    planned = rollback_plan(
        seen({"web": WEB}, running("web", config_hash="new")),
        release="r",
        fetch={"web": "build it from commit aaa"},
        origin="dev-1",
    )

    acts = [step.act for step in planned.steps]
    assert acts[3:5] == [Act.FETCH, Act.NAME]
    assert planned.services[0].change is Change.RECREATE
