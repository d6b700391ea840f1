"""Decides what a clean-up removes and what it keeps; pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from opsctl.deploy.model import DeployIssue, RecordedRelease, RestorePoint
from opsctl.deploy.releases.kept_tags import find_owner
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
    is_used: bool = False
    """A container uses it."""


@dataclass(frozen=True, slots=True)
class SparedImage:
    """An image that opsctl keeps for the rollback of another project."""

    image: str
    name: str
    project: str


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
    spared: tuple[SparedImage, ...] = ()


@dataclass(frozen=True, slots=True)
class PruneOwner:
    """Whose clean-up this is, and how old what another compose project created must be."""

    name: str
    """The project in the settings, whose tags the kept images carry."""
    project: str
    """The compose project."""
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
    older = choose_kept_releases(current, tuple(previous), count=count)
    for release in older:
        kept += _images_of(release, f"a rollback to release {release.id} needs it")
    if count and not older:
        images = restore_point.images.items()
        kept += [
            KeptImage(image, service, "it ran before this release") for service, image in images
        ]
    return tuple({found.image: found for found in reversed(kept)}.values())


def choose_kept_releases(
    current: RecordedRelease | None, previous: tuple[RecordedRelease, ...], *, count: int
) -> tuple[RecordedRelease, ...]:
    """Keep the last `count`; another build of the current commit takes no place."""
    others = [release for release in previous if not _is_same_commit(release, current)]
    newest = {release.id for release in (*previous[:count], *others[:count])}
    return tuple(release for release in previous if release.id in newest)


def _is_same_commit(release: RecordedRelease, current: RecordedRelease | None) -> bool:
    if current is None or release.is_dirty or current.is_dirty:
        return False
    return bool(release.git_sha) and release.git_sha == current.git_sha


def _images_of(release: RecordedRelease, reason: str) -> Iterator[KeptImage]:
    for service, image in release.images.items():
        yield KeptImage(image, release.image_names.get(service, service), reason)


def plan_removals(
    contents: EngineContents, kept: tuple[KeptImage, ...], owner: PruneOwner
) -> PrunePlan:
    """Remove what `docker system prune -af` removes, except kept images; never a volume.

    If one of those does not exist, nothing is removed: something is wrong.
    """
    present = {image.id for image in contents.images}
    missing = tuple(found for found in kept if found.image not in present)
    if missing:
        return PrunePlan((), kept, contents.images_bytes, missing)
    unused = tuple(_list_unused(contents, frozenset(found.image for found in kept), owner))
    remove = (
        *_plan_containers(contents, owner),
        *_plan_networks(contents, owner),
        *_plan_images(unused, owner),
        *_plan_build_cache(contents),
    )
    kept = tuple(replace(found, is_used=found.image in contents.used) for found in kept)
    spared = tuple(spared for image in unused for spared in _list_keepers(image, owner))
    return PrunePlan(remove, kept, contents.images_bytes, spared=spared)


def _plan_containers(contents: EngineContents, owner: PruneOwner) -> Iterator[PruneItem]:
    for container in contents.stopped:
        if not owner.is_too_young(container.labels, container.created_at, contents.now):
            reason = f"it is {container.state}"
            yield PruneItem(
                PruneKind.CONTAINER, container.id, container.name, container.size_bytes, reason
            )


def _plan_networks(contents: EngineContents, owner: PruneOwner) -> Iterator[PruneItem]:
    for network in contents.networks:
        if not owner.is_too_young(network.labels, network.created_at, contents.now):
            reason = "no container uses it"
            yield PruneItem(PruneKind.NETWORK, network.id, network.name, 0, reason)


def _list_unused(
    contents: EngineContents, kept: frozenset[str], owner: PruneOwner
) -> Iterator[InventoryImage]:
    in_new_containers = {
        container.image_id
        for container in contents.stopped
        if owner.is_too_young(container.labels, container.created_at, contents.now)
    }
    for image in contents.images:
        if image.id not in contents.used | kept | in_new_containers:
            yield image


def _plan_images(unused: tuple[InventoryImage, ...], owner: PruneOwner) -> Iterator[PruneItem]:
    for image in unused:
        names, size, reason = image.names, image.size_bytes, "no container uses it"
        if any(_list_keepers(image, owner)):
            # Another project still keeps it: only our own tag goes.
            names = tuple(name for name in names if find_owner(name) == owner.name)
            size, reason = 0, "this project no longer keeps it"
            if not names:
                continue
        name = next(iter(names), image.id)
        yield PruneItem(PruneKind.IMAGE, image.id, name, size, reason, names=names)


def _list_keepers(image: InventoryImage, owner: PruneOwner) -> Iterator[SparedImage]:
    """List the other projects whose opsctl tag the image carries."""
    for name in image.names:
        keeper = find_owner(name)
        if keeper is not None and keeper != owner.name:
            yield SparedImage(image.id, name, keeper)


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
