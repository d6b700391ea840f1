from datetime import timedelta
from typing import Any

import pytest

from opsctl.deploy.model import Base
from opsctl.deploy.prune.plan import Holdings, Kept, Kind, keep_set, objection_to, prune_plan
from opsctl.systems.engine.inventory import EngineNetwork, InventoryImage, StoppedContainer
from tests.unit.deploy.worlds import NOW, release

LIVE = release("dev-3", images={"web": "i3"}, names={"web": "web:1"})
OLDER = (
    release("dev-2", images={"web": "i2"}, names={"web": "web:1"}),
    release("dev-1", images={"web": "i1"}, names={"web": "web:1"}),
)
OTHERS = {"com.docker.compose.project": "other"}
OURS = {"com.docker.compose.project": "shop"}


def _image(name: str, *names: str) -> InventoryImage:
    return InventoryImage(name, names, (), 10)


def _stopped(labels: dict[str, str], age_s: float = 0) -> StoppedContainer:
    return StoppedContainer("c", "c-1", "exited", "i9", labels, 5, NOW - timedelta(seconds=age_s))


def _held(**more: Any) -> Holdings:
    known = {"images": (), "used": frozenset(), "stopped": (), "networks": (), "cache_bytes": 0}
    return Holdings(**{**known, **more}, now=NOW, images_bytes=0)


def _doomed(held: Holdings, kept: tuple[Kept, ...] = ()) -> list[tuple[Kind, str]]:
    found = prune_plan(held, kept, project="shop", spare_s=60)
    return [(one.kind, one.name) for one in found.doomed]


@pytest.mark.parametrize(
    ("count", "kept"), [(0, {"i3"}), (1, {"i3", "i2"}), (2, {"i3", "i2", "i1"})]
)
def test_the_images_of_so_many_releases_are_kept(count: int, kept: set[str]) -> None:
    found = keep_set(LIVE, OLDER, base=Base(), count=count)

    assert {one.image for one in found} == kept


def test_what_ran_before_the_first_release_is_kept_in_its_place() -> None:
    base = Base(images={"web": "i0"})

    assert {one.image for one in keep_set(LIVE, (), base=base, count=1)} == {"i3", "i0"}
    assert {one.image for one in keep_set(LIVE, (), base=base, count=0)} == {"i3"}


def test_an_image_goes_unless_it_is_used_or_kept() -> None:
    held = _held(
        images=(_image("i1", "web:1"), _image("i2"), _image("i3", "db:1")),
        used=frozenset({"i3"}),
    )

    assert _doomed(held, (Kept("i1", "web:1", "why"),)) == [(Kind.IMAGE, "i2")]


@pytest.mark.parametrize(
    ("labels", "age_s", "goes"),
    [({}, 0, True), (OURS, 0, True), (OTHERS, 0, False), (OTHERS, 61, True)],
)
def test_what_another_project_makes_just_now_is_spared(
    labels: dict[str, str],
    age_s: float,
    goes: bool,  # noqa: FBT001 - a case
) -> None:
    made = NOW - timedelta(seconds=age_s)
    held = _held(
        images=(_image("i9", "x:1"),),
        stopped=(_stopped(labels, age_s),),
        networks=(EngineNetwork("n", "n-1", labels, made),),
    )

    found = _doomed(held)

    everything = [(Kind.CONTAINER, "c-1"), (Kind.NETWORK, "n-1"), (Kind.IMAGE, "x:1")]
    assert found == (everything if goes else [])


def test_the_build_cache_goes_when_there_is_any() -> None:
    assert _doomed(_held(cache_bytes=1)) == [(Kind.CACHE, "of every builder")]
    assert _doomed(_held()) == []


def test_what_must_be_kept_and_is_not_there_is_an_objection() -> None:
    kept = (Kept("i1", "web:1", "release dev-1 can be brought back"),)
    missing = prune_plan(_held(), kept, project="shop", spare_s=60)
    there = prune_plan(_held(images=(_image("i1"),)), kept, project="shop", spare_s=60)

    objection = objection_to(missing)

    assert objection is not None
    assert "web:1" in objection.what
    assert objection_to(there) is None
