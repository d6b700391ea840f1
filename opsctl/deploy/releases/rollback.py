"""Goes back to an earlier release: its own file, its own images, no network where they are kept."""

from dataclasses import replace

from opsctl.deploy.model import Base, Draft, Recorded, Seen, Wish
from opsctl.deploy.observe import Observer
from opsctl.deploy.plan import rollback_plan
from opsctl.deploy.releases.rebuild_image import ways
from opsctl.deploy.releases.release_log import base_of
from opsctl.deploy.run import Helpers, Run
from opsctl.deploy.up import guarded
from opsctl.errors import OpsctlError


def prepare_rollback(observer: Observer, name: str | None, wish: Wish, helpers: Helpers) -> Run:
    """Plan the way back; without a name to what ran before the release that runs now."""
    live, unfinished = observer.ledger.live(), observer.ledger.unfinished()
    origin = choose(observer, name, live=live, unfinished=unfinished)
    made = _draft(observer, origin)
    seen = observer.look_at(made, live=live, unfinished=unfinished)
    there = {s: observer.site.stock.image(i) is not None for s, i in origin.images.items()}
    seen = _as_it_will_be(seen, origin, there)
    planned = rollback_plan(
        replace(seen, live=origin),
        release=observer.ledger.new_id(),
        fetch=ways(origin, made.text, there),
        origin=origin.id,
        notifies=helpers.notifier is not None,
    )
    run = Run(observer, guarded(observer, seen, planned, wish), seen, wish, helpers)
    run.origin = origin
    return run


def choose(
    observer: Observer, name: str | None, *, live: Recorded | None, unfinished: Recorded | None
) -> Recorded:
    if name is not None:
        return observer.ledger.find(name)
    if unfinished is not None and live is not None:
        # The half deploy never was a release: before it ran the live one.
        return live
    older = observer.ledger.before(live)
    if older:
        return older[0]
    base = base_of(live) if live else Base()
    if live is not None and not base.is_empty and live.kind == "up":
        return _unrecorded(live, base)
    env = observer.site.target.env
    raise OpsctlError(
        f"there is no release of {env} to go back to",
        why=f"the ledger knows {'one' if live else 'none'} that ended well",
        hint=f"`opsctl history -e {env}` lists them; `opsctl up` deploys what is checked out,"
        f" `opsctl down -e {env}` stops it.",
    )


def _unrecorded(live: Recorded, base: Base) -> Recorded:
    """Take what ran before the first release as one: it is known by its images alone."""
    names = {image: name for name, image in base.names.items()}
    services = tuple(base.images)
    return replace(
        live,
        id=f"before-{live.id}",
        images=base.images,
        names={service: names.get(image, image) for service, image in base.images.items()},
        digests={},
        file=base.file or live.file,
        services=services if base.file else live.services,
    )


def _draft(observer: Observer, origin: Recorded) -> Draft:
    made = observer.read_draft(origin)
    if made is None:
        raise OpsctlError(
            f"release {origin.id} cannot be brought back",
            why=f"the file that it ran from is gone: {origin.file or 'none was kept'}",
            hint=f"Check out {origin.git_sha[:12] or 'what you want'}, and deploy: opsctl up",
        )
    return made


def _as_it_will_be(seen: Seen, origin: Recorded, there: dict[str, bool]) -> Seen:
    """See the images as they will be named: the plan is about that."""
    ids = dict(seen.image_ids)
    for service, image in origin.images.items():
        name = origin.names.get(service)
        if name in ids:
            ids[name] = image if there[service] else None
    return replace(seen, image_ids=ids)
