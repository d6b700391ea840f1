"""Cleans an engine up, one thing at a time, after proving that what must stay is there."""

from collections.abc import Callable
from dataclasses import dataclass

from opsctl.deploy.model import Base, Objection
from opsctl.deploy.observe import Observer
from opsctl.deploy.prune.plan import (
    Doomed,
    Holdings,
    Kept,
    Kind,
    PrunePlan,
    keep_set,
    objection_to,
    prune_plan,
)
from opsctl.deploy.releases.image_tags import protect
from opsctl.deploy.releases.release_log import Ledger, base_of
from opsctl.errors import OpsctlError
from opsctl.settings.reading.choose_environment import ENVIRONMENTS
from opsctl.systems.engine.inventory import RemovalResult

Tell = Callable[[str], None]
# A clean-up of someone else makes the engine say that it is busy.
ATTEMPTS, PAUSE_S = 5, 1.0


@dataclass(frozen=True, slots=True)
class Pruned:
    """What went, what stayed on purpose, and how much came free."""

    env: str
    removed: tuple[Doomed, ...]
    kept: tuple[Kept, ...]
    freed_bytes: int
    warnings: tuple[Objection, ...] = ()


def look(observer: Observer, *, keep: int | None = None) -> PrunePlan:
    """Plan a clean-up."""
    site = observer.site
    rules = site.settings.deploy
    count = rules.keep_releases if keep is None else keep
    kept = _kept(observer, count)
    held = _holdings(observer)
    return prune_plan(held, kept, project=site.target.project, spare_s=rules.spare_young_s)


def _kept(observer: Observer, count: int) -> tuple[Kept, ...]:
    """Keep by every environment's ledger: they may share this engine."""
    own, kept = observer.ledger.env, list(_kept_of(observer.ledger, count))
    there = {image.id for image in observer.site.stock.list_images()}
    for env in ENVIRONMENTS:
        # Another environment may live on another engine: what is not here is not missing.
        others = _kept_of(observer.of(env), count) if env != own else ()
        kept += [one for one in others if one.image in there]
    return tuple(kept)


def _kept_of(book: Ledger, count: int) -> tuple[Kept, ...]:
    live, unfinished = book.live(), book.unfinished()
    base = base_of(live) if live else Base()
    kept = keep_set(live, book.before(live), base=base, count=count)
    if unfinished is None:
        return kept
    return (*kept, *keep_set(None, (), base=base_of(unfinished), count=1))


def _holdings(observer: Observer) -> Holdings:
    site = observer.site
    stopped, disk = site.stock.stopped(), site.containers.disk_usage()
    gone = {one.id for one in stopped}
    used = {image for container, image in site.stock.used_images() if container not in gone}
    return Holdings(
        images=site.stock.list_images(),
        used=frozenset(used),
        stopped=stopped,
        networks=site.stock.unused_networks(),
        cache_bytes=disk.build_cache_bytes,
        images_bytes=disk.images_bytes,
        now=site.containers.now(),
    )


def clean_up(observer: Observer, *, tell: Tell, keep: int | None = None) -> Pruned:
    """Remove what the plan says, then hold the engine to what was to stay."""
    site = observer.site
    plan = look(observer, keep=keep)
    objection = objection_to(plan)
    if objection is not None:
        return Pruned(site.target.env, (), plan.kept, 0, (objection,))
    protect(observer, {one.image: one.name for one in plan.kept})
    removed: list[Doomed] = []
    warnings: list[Objection] = []
    freed = 0
    for one in plan.doomed:
        try:
            is_gone, freed_now = _remove(observer, one)
        except OpsctlError as error:
            warnings.append(Objection("prune", f"{error.what}: {error.why}", is_warning=True))
            continue
        freed += freed_now
        if is_gone:
            removed.append(one)
            tell(f"removed {one.kind} {one.name}")
    freed += max(0, plan.images_bytes - site.containers.disk_usage().images_bytes)
    warnings += _missing_afterwards(observer, plan.kept)
    return Pruned(site.target.env, tuple(removed), plan.kept, freed, tuple(warnings))


def _remove(observer: Observer, one: Doomed) -> tuple[bool, int]:
    stock = observer.site.stock
    match one.kind:
        case Kind.CONTAINER:
            removal = stock.remove_stopped(one.id)
            return removal is RemovalResult.REMOVED, one.size_bytes
        case Kind.NETWORK:
            return stock.remove_network(one.id) is RemovalResult.REMOVED, 0
        case Kind.IMAGE:
            # Name by name: the last one takes the image with it, unless somebody uses it by now.
            done = [stock.remove_image(name) for name in one.names or (one.id,)]
            return RemovalResult.REMOVED in done, 0
        case Kind.CACHE:
            return True, _drop_cache(observer)


def _drop_cache(observer: Observer) -> int:
    clock = observer.site.clock
    for _ in range(ATTEMPTS - 1):
        freed = observer.site.stock.drop_build_cache()
        if freed is not None:
            return freed
        clock.sleep(PAUSE_S)
    raise OpsctlError(
        "could not clear the build cache", why="somebody else is clearing up this engine"
    )


def _missing_afterwards(observer: Observer, kept: tuple[Kept, ...]) -> list[Objection]:
    """Every image that had to stay still resolves, whoever else was clearing up."""
    stock = observer.site.stock
    lost = [one for one in kept if stock.image(one.image) is None]
    return [
        Objection(
            "prune",
            f"{one.name} is gone, though it was to be kept ({one.reason}): somebody else took it",
            "Deploy again to fetch it.",
            is_warning=True,
        )
        for one in lost
    ]
