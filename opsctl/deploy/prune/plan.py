"""Decides what a clean-up removes and what it keeps; pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from opsctl.deploy.model import DeployIssue, RecordedRelease, RestorePoint
from opsctl.systems.engine.compose_labels import PROJECT_LABEL
from opsctl.systems.engine.inventory import EngineNetwork, InventoryImage, StoppedContainer


class PruneKind(StrEnum):
    CONTAINER = "container"
    NETWORK = "network"
    IMAGE = "image"
    BUILD_CACHE = "build cache"


@dataclass(frozen=True, slots=True)
class PruneItem:
    """One thing to remove, and why."""

    kind: PruneKind
    id: str
    name: str
    size_bytes: int
    reason: str
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class KeptImage:
    image: str
    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class EngineContents:
    """What the engine has, read at one moment."""

    images: tuple[InventoryImage, ...]
    used: frozenset[str]
    """Images of the containers that stay."""
    stopped: tuple[StoppedContainer, ...]
    networks: tuple[EngineNetwork, ...]
    cache_bytes: int
    images_bytes: int
    """All layers, each counted once."""
    now: datetime


@dataclass(frozen=True, slots=True)
class PrunePlan:
    remove: tuple[PruneItem, ...]
    kept: tuple[KeptImage, ...]
    images_bytes: int = 0
    missing: tuple[KeptImage, ...] = ()
    """Images to keep that do not exist; then nothing is removed."""


@dataclass(frozen=True, slots=True)
class MinimumAge:
    """How old what another compose project created must be before it may be removed."""

    project: str
    min_age_s: float

    def is_too_young(
        self, labels: Mapping[str, str], created: datetime | None, now: datetime
    ) -> bool:
        """The other project may be starting: what it created a moment ago is not used yet."""
        owner = labels.get(PROJECT_LABEL)
        if not owner or owner == self.project or created is None:
            return False
        return (now - created).total_seconds() < self.min_age_s


def find_images_to_keep(
    current: RecordedRelease | None,
    previous: Iterable[RecordedRelease],
    *,
    restore_point: RestorePoint,
    count: int,
) -> tuple[KeptImage, ...]:
    """List the images of the current release and of the last `count` before it."""
    kept = list(_images_of(current, f"release {current.id} runs")) if current else []
    older = list(previous)[:count]
    for release in older:
        kept += _images_of(release, f"a rollback to release {release.id} needs it")
    if count and not older:
        images = restore_point.images.items()
        kept += [
            KeptImage(image, service, "it ran before this release") for service, image in images
        ]
    return tuple({found.image: found for found in reversed(kept)}.values())


def _images_of(release: RecordedRelease, reason: str) -> Iterator[KeptImage]:
    for service, image in release.images.items():
        yield KeptImage(image, release.image_names.get(service, service), reason)


def plan_removals(
    contents: EngineContents, kept: tuple[KeptImage, ...], minimum_age: MinimumAge
) -> PrunePlan:
    """Remove what `docker system prune -af` removes, except kept images; never a volume.

    If one of those does not exist, nothing is removed: something is wrong.
    """
    present = {image.id for image in contents.images}
    missing = tuple(found for found in kept if found.image not in present)
    if missing:
        return PrunePlan((), kept, contents.images_bytes, missing)
    remove = (
        *_plan_containers(contents, minimum_age),
        *_plan_networks(contents, minimum_age),
        *_plan_images(contents, frozenset(found.image for found in kept), minimum_age),
        *_plan_build_cache(contents),
    )
    return PrunePlan(remove, kept, contents.images_bytes)


def _plan_containers(contents: EngineContents, minimum_age: MinimumAge) -> Iterator[PruneItem]:
    for container in contents.stopped:
        if not minimum_age.is_too_young(container.labels, container.created_at, contents.now):
            reason = f"it is {container.state}"
            yield PruneItem(
                PruneKind.CONTAINER, container.id, container.name, container.size_bytes, reason
            )


def _plan_networks(contents: EngineContents, minimum_age: MinimumAge) -> Iterator[PruneItem]:
    for network in contents.networks:
        if not minimum_age.is_too_young(network.labels, network.created_at, contents.now):
            reason = "no container uses it"
            yield PruneItem(PruneKind.NETWORK, network.id, network.name, 0, reason)


def _plan_images(
    contents: EngineContents, kept: frozenset[str], minimum_age: MinimumAge
) -> Iterator[PruneItem]:
    in_new_containers = {
        container.image_id
        for container in contents.stopped
        if minimum_age.is_too_young(container.labels, container.created_at, contents.now)
    }
    for image in contents.images:
        if image.id not in contents.used | kept | in_new_containers:
            name, reason = next(iter(image.names), image.id), "no container uses it"
            yield PruneItem(
                PruneKind.IMAGE, image.id, name, image.size_bytes, reason, names=image.names
            )


def _plan_build_cache(contents: EngineContents) -> Iterator[PruneItem]:
    if contents.cache_bytes:
        reason = "only builds use it"
        yield PruneItem(PruneKind.BUILD_CACHE, "", "of all builders", contents.cache_bytes, reason)


def describe_missing_images(
    plan: PrunePlan, *, result: str = "nothing was removed"
) -> DeployIssue | None:
    """Object when an image to keep does not exist: then nothing may be removed."""
    if not plan.missing:
        return None
    names = ", ".join(dict.fromkeys(f"{found.name} ({found.reason})" for found in plan.missing))
    return DeployIssue(
        "prune",
        f"{result}: an image that must be kept does not exist: {names}",
        "Deploy again, or remove everything unused with: opsctl prune --keep 0",
        is_warning=True,
    )
