"""Cleans an engine up item by item, after checking that every image to keep exists."""

from dataclasses import dataclass

from opsctl.deploy.integrations import ReportLine
from opsctl.deploy.model import DeployIssue, RestorePoint
from opsctl.deploy.observe import Observer
from opsctl.deploy.prune.plan import (
    EngineContents,
    KeptImage,
    PruneItem,
    PruneKind,
    PruneOwner,
    PrunePlan,
    SparedImage,
    describe_missing_images,
    find_images_to_keep,
    plan_removals,
)
from opsctl.deploy.releases.image_tags import keep_images, keep_nameless
from opsctl.deploy.releases.release_log import ReleaseLog, read_restore_point
from opsctl.errors import OpsctlError
from opsctl.settings.reading.choose_environment import ENVIRONMENTS
from opsctl.systems.engine.inventory import RemovalResult

# The engine reports that it is busy while someone else cleans it up.
ATTEMPTS, PAUSE_S = 5, 1.0


@dataclass(frozen=True, slots=True)
class PruneReport:
    """What was removed, what was kept on purpose, and how many bytes were freed."""

    env: str
    removed: tuple[PruneItem, ...]
    kept: tuple[KeptImage, ...]
    freed_bytes: int
    warnings: tuple[DeployIssue, ...] = ()
    spared: tuple[SparedImage, ...] = ()


def plan_prune(observer: Observer, *, keep: int | None = None) -> PrunePlan:
    """Plan a clean-up that keeps the images of `keep` previous releases."""
    context = observer.context
    settings = context.settings.deploy
    kept = _find_kept(observer, settings.keep_releases if keep is None else keep)
    name = context.settings.project.name
    owner = PruneOwner(name, context.target.project, settings.prune_min_age_s)
    return plan_removals(_read_contents(observer), kept, owner)


def _find_kept(observer: Observer, count: int) -> tuple[KeptImage, ...]:
    """Keep what any environment needs: they may share this engine."""
    own_env, kept = observer.release_log.env, list(_find_kept_of(observer.release_log, count))
    present = {image.id for image in observer.context.inventory.list_images()}
    for env in ENVIRONMENTS:
        # Another environment may run on another engine: what is not here is not missing.
        others = _find_kept_of(observer.release_log_of(env), count) if env != own_env else ()
        kept += [found for found in others if found.image in present]
    return tuple(kept)


def _find_kept_of(log: ReleaseLog, count: int) -> tuple[KeptImage, ...]:
    current, unfinished = log.current(), log.unfinished()
    restore_point = read_restore_point(current) if current else RestorePoint()
    previous = log.previous(current)
    kept = find_images_to_keep(current, previous, restore_point=restore_point, count=count)
    if unfinished is None:
        return kept
    before = read_restore_point(unfinished)
    return (*kept, *find_images_to_keep(None, (), restore_point=before, count=1))


def _read_contents(observer: Observer) -> EngineContents:
    context = observer.context
    stopped, disk = context.inventory.stopped(), context.containers.disk_usage()
    stopped_ids = {container.id for container in stopped}
    used = {image for id_, image in context.inventory.used_images() if id_ not in stopped_ids}
    return EngineContents(
        images=context.inventory.list_images(),
        used=frozenset(used),
        stopped=stopped,
        networks=context.inventory.unused_networks(),
        cache_bytes=disk.build_cache_bytes,
        images_bytes=disk.images_bytes,
        now=context.containers.now(),
    )


def prune_engine(observer: Observer, *, report: ReportLine, keep: int | None = None) -> PruneReport:
    """Remove what the plan lists, then check that every image to keep still exists."""
    context = observer.context
    plan = plan_prune(observer, keep=keep)
    missing = describe_missing_images(plan)
    if missing is not None:
        return PruneReport(context.target.env, (), plan.kept, 0, (missing,), plan.spared)
    _tag_kept(observer, plan)
    removed: list[PruneItem] = []
    warnings: list[DeployIssue] = []
    freed_bytes = 0
    for item in plan.remove:
        try:
            is_removed, item_bytes = _remove(observer, item)
        except OpsctlError as error:
            warnings.append(DeployIssue("prune", f"{error.what}: {error.why}", is_warning=True))
            continue
        freed_bytes += item_bytes
        if is_removed:
            removed.append(item)
            report(f"removed {item.kind} {item.name}")
    freed_bytes += max(0, plan.images_bytes - context.containers.disk_usage().images_bytes)
    warnings += _find_lost_images(observer, plan.kept)
    return PruneReport(
        context.target.env, tuple(removed), plan.kept, freed_bytes, tuple(warnings), plan.spared
    )


def _tag_kept(observer: Observer, plan: PrunePlan) -> None:
    """Give our tag to kept images: it tells every other clean-up by opsctl to spare them."""
    used = {found.image: found.name for found in plan.kept if found.is_used}
    keep_nameless(observer, used)
    keep_images(observer, {f.image: f.name for f in plan.kept if not f.is_used})


def _remove(observer: Observer, item: PruneItem) -> tuple[bool, int]:
    """Remove one item; return whether it was removed and the bytes that this freed."""
    inventory = observer.context.inventory
    match item.kind:
        case PruneKind.CONTAINER:
            removal = inventory.remove_stopped(item.id)
            return removal is RemovalResult.REMOVED, item.size_bytes
        case PruneKind.NETWORK:
            return inventory.remove_network(item.id) is RemovalResult.REMOVED, 0
        case PruneKind.IMAGE:
            # By name: the last name takes the image with it, unless a container uses it by now.
            removals = [inventory.remove_image(name) for name in item.names or (item.id,)]
            return RemovalResult.REMOVED in removals, 0
        case PruneKind.BUILD_CACHE:
            return True, _clear_build_cache(observer)


def _clear_build_cache(observer: Observer) -> int:
    clock = observer.context.clock
    for _ in range(ATTEMPTS - 1):
        freed_bytes = observer.context.inventory.drop_build_cache()
        if freed_bytes is not None:
            return freed_bytes
        clock.sleep(PAUSE_S)
    raise OpsctlError("cannot clear the build cache", why="someone else is cleaning up this engine")


def _find_lost_images(observer: Observer, kept: tuple[KeptImage, ...]) -> list[DeployIssue]:
    """Check every image to keep again: someone else may clean up at the same time."""
    inventory = observer.context.inventory
    lost = [found for found in kept if inventory.image(found.image) is None]
    return [
        DeployIssue(
            "prune",
            f"{found.name} had to be kept ({found.reason}), but someone else removed it",
            "Deploy again to fetch it.",
            is_warning=True,
        )
        for found in lost
    ]
