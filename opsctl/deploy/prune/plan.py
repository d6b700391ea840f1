"""Decides what a clean-up removes and what it keeps; pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from opsctl.deploy.model import PROJECT, Base, Objection, Recorded
from opsctl.systems.engine.inventory import EngineNetwork, InventoryImage, StoppedContainer


class Kind(StrEnum):
    CONTAINER = "container"
    NETWORK = "network"
    IMAGE = "image"
    CACHE = "build cache"


@dataclass(frozen=True, slots=True)
class Doomed:
    """One thing that goes, and why."""

    kind: Kind
    id: str
    name: str
    size_bytes: int
    reason: str
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Kept:
    image: str
    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class Holdings:
    """What the engine holds, seen at one moment."""

    images: tuple[InventoryImage, ...]
    used: frozenset[str]
    """Images that a container which stays stands on."""
    stopped: tuple[StoppedContainer, ...]
    networks: tuple[EngineNetwork, ...]
    cache_bytes: int
    images_bytes: int
    """All layers, each counted once."""
    now: datetime


@dataclass(frozen=True, slots=True)
class PrunePlan:
    doomed: tuple[Doomed, ...]
    kept: tuple[Kept, ...]
    images_bytes: int = 0
    missing: tuple[Kept, ...] = ()
    """What is to be kept and is not there: then nothing may be removed."""


def keep_set(
    live: Recorded | None, before: Iterable[Recorded], *, base: Base, count: int
) -> tuple[Kept, ...]:
    """Name the images of the live release and of the last `count` before it."""
    kept = list(_of(live, f"release {live.id} runs")) if live else []
    older = list(before)[:count]
    for release in older:
        kept += _of(release, f"release {release.id} can be brought back")
    if count and not older:
        kept += [Kept(i, s, "it ran before this release") for s, i in base.images.items()]
    return tuple({one.image: one for one in reversed(kept)}.values())


def _of(release: Recorded, reason: str) -> Iterator[Kept]:
    for service, image in release.images.items():
        yield Kept(image, release.names.get(service, service), reason)


def prune_plan(
    held: Holdings, kept: tuple[Kept, ...], *, project: str, spare_s: float
) -> PrunePlan:
    """Remove what `docker system prune -af` removes, less the keep set; never a volume."""
    there = {image.id for image in held.images}
    missing = tuple(one for one in kept if one.image not in there)
    doomed = (
        *_containers(held, project, spare_s),
        *_networks(held, project, spare_s),
        *_images(held, frozenset(one.image for one in kept), project, spare_s),
        *_cache(held),
    )
    return PrunePlan(doomed, kept, held.images_bytes, missing)


def _containers(held: Holdings, project: str, spare_s: float) -> Iterator[Doomed]:
    for one in held.stopped:
        if not _is_young(one.labels, one.created_at, held.now, project, spare_s):
            yield Doomed(Kind.CONTAINER, one.id, one.name, one.size_bytes, f"it is {one.state}")


def _networks(held: Holdings, project: str, spare_s: float) -> Iterator[Doomed]:
    for one in held.networks:
        if not _is_young(one.labels, one.created_at, held.now, project, spare_s):
            yield Doomed(Kind.NETWORK, one.id, one.name, 0, "no container uses it")


def _images(held: Holdings, kept: frozenset[str], project: str, spare_s: float) -> Iterator[Doomed]:
    spared = {
        one.image_id
        for one in held.stopped
        if _is_young(one.labels, one.created_at, held.now, project, spare_s)
    }
    for one in held.images:
        if one.id not in held.used | kept | spared:
            name = next(iter(one.names), one.id)
            reason = "no container uses it"
            yield Doomed(Kind.IMAGE, one.id, name, one.size_bytes, reason, one.names)


def _cache(held: Holdings) -> Iterator[Doomed]:
    if held.cache_bytes:
        yield Doomed(Kind.CACHE, "", "of every builder", held.cache_bytes, "builds made it")


def _is_young(
    labels: object, created: datetime | None, now: datetime, project: str, spare_s: float
) -> bool:
    """Another project may be coming up just now; what it made a moment ago is not yet used."""
    owner = labels.get(PROJECT) if isinstance(labels, dict) else None
    if not owner or owner == project or created is None:
        return False
    return (now - created).total_seconds() < spare_s


def objection_to(plan: PrunePlan) -> Objection | None:
    """What must be kept has to be there, before anything else goes."""
    if not plan.missing:
        return None
    names = ", ".join(dict.fromkeys(f"{one.name} ({one.reason})" for one in plan.missing))
    return Objection(
        "prune",
        f"nothing was removed: an image that has to be kept is not there: {names}",
        "Deploy again, or remove everything unused with: opsctl prune --keep 0",
        is_warning=True,
    )
