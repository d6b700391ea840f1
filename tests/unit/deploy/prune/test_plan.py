from datetime import timedelta
from typing import Any

import pytest

from opsctl.deploy.model import RestorePoint
from opsctl.deploy.prune.plan import (
    EngineContents,
    KeptImage,
    PruneKind,
    PruneOwner,
    describe_missing_images,
    find_images_to_keep,
    plan_removals,
)
from opsctl.systems.engine.inventory import EngineNetwork, InventoryImage, StoppedContainer
from tests.unit.deploy.observations import NOW, make_release

CURRENT = make_release("dev-3", images={"web": "i3"}, image_names={"web": "web:1"})
OLDER = (
    make_release("dev-2", images={"web": "i2"}, image_names={"web": "web:1"}, git_sha="b"),
    make_release("dev-1", images={"web": "i1"}, image_names={"web": "web:1"}, git_sha="c"),
)
OTHERS = {"com.docker.compose.project": "other"}
OWNER = PruneOwner("shop", "shop", 60)
OURS = {"com.docker.compose.project": "shop"}


def _image(name: str, *names: str) -> InventoryImage:
    return InventoryImage(name, names, (), 10)


def _stopped(labels: dict[str, str], age_s: float = 0) -> StoppedContainer:
    return StoppedContainer("c", "c-1", "exited", "i9", labels, 5, NOW - timedelta(seconds=age_s))


def _make_contents(**more: Any) -> EngineContents:
    known = {"images": (), "used": frozenset(), "stopped": (), "networks": (), "cache_bytes": 0}
    return EngineContents(**{**known, **more}, now=NOW, images_bytes=0)


def _list_removals(
    contents: EngineContents, kept: tuple[KeptImage, ...] = ()
) -> list[tuple[PruneKind, str]]:
    plan = plan_removals(contents, kept, OWNER)
    return [(item.kind, item.name) for item in plan.remove]


@pytest.mark.parametrize(
    ("count", "kept"), [(0, {"i3"}), (1, {"i3", "i2"}), (2, {"i3", "i2", "i1"})]
)
def test_the_images_of_that_many_releases_are_kept(count: int, kept: set[str]) -> None:
    kept_images = find_images_to_keep(CURRENT, OLDER, restore_point=RestorePoint(), count=count)

    assert {item.image for item in kept_images} == kept


def test_what_ran_before_the_first_release_counts_as_its_previous_release() -> None:
    before = RestorePoint(images={"web": "i0"})

    assert {
        item.image for item in find_images_to_keep(CURRENT, (), restore_point=before, count=1)
    } == {"i3", "i0"}
    assert {
        item.image for item in find_images_to_keep(CURRENT, (), restore_point=before, count=0)
    } == {"i3"}


def test_an_image_is_removed_unless_it_is_used_or_kept() -> None:
    contents = _make_contents(
        images=(_image("i1", "web:1"), _image("i2"), _image("i3", "db:1")),
        used=frozenset({"i3"}),
    )

    assert _list_removals(contents, (KeptImage("i1", "web:1", "why"),)) == [(PruneKind.IMAGE, "i2")]


@pytest.mark.parametrize(
    ("labels", "age_s", "is_removed"),
    [({}, 0, True), (OURS, 0, True), (OTHERS, 0, False), (OTHERS, 61, True)],
)
def test_what_another_project_has_just_created_is_kept(
    labels: dict[str, str],
    age_s: float,
    is_removed: bool,  # noqa: FBT001 - a case
) -> None:
    created_at = NOW - timedelta(seconds=age_s)
    contents = _make_contents(
        images=(_image("i9", "x:1"),),
        stopped=(_stopped(labels, age_s),),
        networks=(EngineNetwork("n", "n-1", labels, created_at),),
    )

    kept_images = _list_removals(contents)

    everything = [
        (PruneKind.CONTAINER, "c-1"),
        (PruneKind.NETWORK, "n-1"),
        (PruneKind.IMAGE, "x:1"),
    ]
    assert kept_images == (everything if is_removed else [])


def test_the_build_cache_is_removed_when_there_is_any() -> None:
    assert _list_removals(_make_contents(cache_bytes=1)) == [
        (PruneKind.BUILD_CACHE, "of all builders")
    ]
    assert _list_removals(_make_contents()) == []


def test_a_missing_image_that_must_be_kept_is_reported() -> None:
    kept = (KeptImage("i1", "web:1", "a rollback to release dev-1 needs it"),)
    missing = plan_removals(_make_contents(), kept, OWNER)
    present = plan_removals(_make_contents(images=(_image("i1"),)), kept, OWNER)

    issue = describe_missing_images(missing)

    assert issue is not None
    assert "web:1" in issue.what
    assert describe_missing_images(present) is None


def test_while_a_kept_image_is_missing_nothing_is_removed() -> None:
    contents = _make_contents(images=(_image("i2", "old:1"),), cache_bytes=1)

    assert _list_removals(contents, (KeptImage("i1", "web:1", "why"),)) == []


def test_an_image_that_another_project_keeps_is_spared_and_reported() -> None:
    theirs = "app:opsctl-other-0123456789ab"
    contents = _make_contents(images=(_image("i1", "app:1", theirs),))

    plan = plan_removals(contents, (), OWNER)

    assert plan.remove == ()
    assert [(item.name, item.project) for item in plan.spared] == [(theirs, "other")]


def test_of_an_image_that_two_projects_keep_only_our_own_tag_is_removed() -> None:
    ours, theirs = "app:opsctl-shop-0123456789ab", "app:opsctl-other-0123456789ab"
    contents = _make_contents(images=(_image("i1", theirs, ours),))

    (item,) = plan_removals(contents, (), OWNER).remove

    assert (item.names, item.size_bytes) == ((ours,), 0)


def test_an_image_that_only_we_kept_is_removed_with_its_tag() -> None:
    ours = "app:opsctl-shop-0123456789ab"
    contents = _make_contents(images=(_image("i1", ours),))

    (item,) = plan_removals(contents, (), OWNER).remove

    assert item.names == (ours,)


def test_another_build_of_the_current_commit_takes_no_place() -> None:
    again = make_release("dev-3", images={"web": "i3"}, git_sha="b")
    bad = make_release("dev-2", images={"web": "i2"}, git_sha="b")
    good = make_release("dev-1", images={"web": "i1"}, git_sha="a")

    kept = find_images_to_keep(again, (bad, good), restore_point=RestorePoint(), count=1)

    assert {item.image for item in kept} == {"i3", "i2", "i1"}
