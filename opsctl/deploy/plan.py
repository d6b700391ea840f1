"""Decides what a deploy does, step by step, and why; pure."""

from collections.abc import Iterator, Mapping

from opsctl.deploy.compose_file import needed
from opsctl.deploy.model import Act, Change, Plan, Running, Seen, ServicePlan, Step, Wish
from opsctl.deploy.verify.service_health import is_one_shot

ALWAYS = "always"
SHORT = 12


def plan(seen: Seen, wish: Wish, *, release: str, prunes: bool, notifies: bool = False) -> Plan:
    """List the steps for what was seen; when nothing would change, only the looking is left."""
    fetched = fetches(seen, wish)
    services = tuple(changes(seen, wish, fetched))
    git = seen.git
    steps = tuple(_steps(seen, services, fetched, prunes=prunes, notifies=notifies))
    return Plan(
        env=seen.target.env,
        project=seen.target.project,
        engine=seen.target.engine_name,
        release=release,
        git_sha=(git.head if git else None) or "",
        git_subject=git.subject if git else "",
        steps=steps if _is_change(seen, services, steps) else _idle(services),
        services=services,
        remove_orphans=not wish.services,
    )


def scope(seen: Seen, wish: Wish) -> tuple[str, ...]:
    """Name what this deploy is about: all, or the named ones with what they depend on."""
    return needed(seen.draft, wish.services) if wish.services else seen.draft.services


def fetches(seen: Seen, wish: Wish) -> tuple[Step, ...]:
    """Build and pull what is missing or may have changed."""
    names = scope(seen, wish)
    found = (_fetch(seen, name, wish) for name in names)
    return tuple(step for step in found if step is not None)


def _fetch(seen: Seen, name: str, wish: Wish) -> Step | None:
    service = seen.draft.service(name)
    is_there = seen.image_ids.get(service.image) is not None
    if service.build is not None:
        reason = _why_build(seen, is_there=is_there, wish=wish)
        return Step(Act.BUILD, service.image, reason, (service.name,)) if reason else None
    if not is_there:
        return Step(Act.PULL, service.image, "it is not on this engine", (service.name,))
    if service.pull_policy == ALWAYS:
        return Step(Act.PULL, service.image, "pull_policy: always", (service.name,))
    return None


def _why_build(seen: Seen, *, is_there: bool, wish: Wish) -> str:
    if wish.build:
        return "--build"
    if not is_there:
        return "its image is not on this engine"
    if seen.git is None or seen.live is None:
        return "its sources may have changed: no commit to compare with"
    if seen.git.dirty or seen.git.untracked or seen.live.is_dirty:
        return "uncommitted changes"
    if seen.git.head != seen.live.git_sha:
        return f"commit {_short(seen.git.head)} follows {_short(seen.live.git_sha)}"
    return ""


def changes(seen: Seen, wish: Wish, fetched: tuple[Step, ...]) -> Iterator[ServicePlan]:
    """Say for each service what happens to its containers."""
    uncertain = frozenset(name for step in fetched for name in step.services)
    for name in scope(seen, wish):
        change, reason = _change(seen, name, is_fetched=name in uncertain)
        yield ServicePlan(name, change, reason)
    if not wish.services:
        known = seen.draft.services
        orphans = {one.service for one in seen.running if one.service not in known}
        for name in sorted(orphans):
            yield ServicePlan(name, Change.REMOVE, "it is not in the compose file any more")


def _change(seen: Seen, name: str, *, is_fetched: bool) -> tuple[Change, str]:
    service, found = seen.draft.service(name), seen.of(name)
    if len(found) < service.replicas:
        return _missing(seen, name, len(found))
    if any(one.config_hash != seen.draft.hashes.get(service.name) for one in found):
        return Change.RECREATE, "its configuration changed"
    wanted = seen.image_ids.get(service.image)
    for one in found:
        if not is_fetched and one.container.image_id != wanted:
            before, after = _short(one.container.image_id), _short(wanted)
            return Change.RECREATE, f"its image changed from {before} to {after}"
    stopped = [one.container for one in found if not one.is_up and not _is_done(seen, one)]
    if stopped:
        return Change.START, f"it is {stopped[0].state} (exit code {stopped[0].exit_code})"
    if is_fetched:
        return Change.MAYBE, "its image is fetched anew"
    return Change.KEEP, "nothing changed"


def _missing(seen: Seen, name: str, count: int) -> tuple[Change, str]:
    if _ended_before(seen, name):
        return Change.KEEP, "it ended well, and nothing changed"
    if count:
        return Change.CREATE, f"{count} of {seen.draft.service(name).replicas} containers are there"
    return Change.CREATE, "it is not there"


def _ended_before(seen: Seen, name: str) -> bool:
    """A clean-up takes the container of a one-shot; the ledger still knows that it ended well."""
    live = seen.live
    if live is None or name not in live.completed:
        return False
    image = seen.image_ids.get(seen.draft.images[name])
    return live.hashes.get(name) == seen.draft.hashes.get(name) and live.images.get(name) == image


def _is_done(seen: Seen, one: Running) -> bool:
    ended = one.container.state == "exited" and one.container.exit_code == 0
    return ended and is_one_shot(seen.draft.service(one.service))


def _is_change(seen: Seen, services: tuple[ServicePlan, ...], steps: tuple[Step, ...]) -> bool:
    changing = {Act.SWEEP, Act.BUILD, Act.PULL, Act.MIGRATE}
    if seen.unfinished is not None or any(step.act in changing for step in steps):
        return True
    return any(one.change is not Change.KEEP for one in services)


def _idle(services: tuple[ServicePlan, ...]) -> tuple[Step, ...]:
    names = tuple(one.service for one in services)
    return (
        Step(Act.PREFLIGHT, "guards", "before anything is changed"),
        Step(Act.VERIFY, "services", "nothing changed; are they well?", names),
    )


def _steps(
    seen: Seen,
    services: tuple[ServicePlan, ...],
    fetched: tuple[Step, ...],
    *,
    prunes: bool,
    notifies: bool,
) -> Iterator[Step]:
    names = tuple(one.service for one in services if one.change is not Change.REMOVE)
    yield Step(Act.PREFLIGHT, "guards", "before anything is changed")
    yield Step(Act.LOCK, seen.target.project, "one deploy at a time on this engine")
    yield Step(Act.SNAPSHOT, _snapshot(seen), "to be put back if this fails")
    for container in seen.left_over:
        yield Step(Act.SWEEP, container.name, "an interrupted replacement left it behind")
    yield from sorted(fetched, key=lambda step: step.act)
    yield from migration_steps(seen)
    yield Step(Act.UP, _counted(services), _reasons(services), names)
    yield Step(Act.VERIFY, "services", "well for a stable window, right image, APP_ENV", names)
    yield Step(Act.RECORD, "release", "to be found and restored again")
    if prunes:
        yield Step(Act.PRUNE, "engine", "production is cleaned up after each verified deploy")
    if notifies:
        yield Step(Act.NOTIFY, "outcome", "those who want to know")


def migration_steps(seen: Seen) -> Iterator[Step]:
    """Migrate before the new code runs; on a first deploy the database comes up for that."""
    if seen.migration is None:
        return
    data = _data_services(seen)
    asleep = tuple(name for name in data if not any(one.is_up for one in seen.of(name)))
    if asleep:
        yield Step(Act.START, ", ".join(asleep), "the migration needs it", asleep)
    yield Step(Act.MIGRATE, seen.migration, "the schema comes before the code that needs it")


def _data_services(seen: Seen) -> tuple[str, ...]:
    draft = seen.draft
    return tuple(name for name in draft.services if name in seen.stateful)


def _snapshot(seen: Seen) -> str:
    count = len({one.service for one in seen.running})
    return f"{count} services" if count else "nothing runs yet"


def _counted(services: tuple[ServicePlan, ...]) -> str:
    told = [f"{one.service}: {one.change}" for one in services if one.change is not Change.KEEP]
    return ", ".join(told) or "services"


def _reasons(services: tuple[ServicePlan, ...]) -> str:
    reasons = dict.fromkeys(one.reason for one in services if one.change is not Change.KEEP)
    return "; ".join(reasons) or "to start what waits"


def _short(name: str | None) -> str:
    return (name or "nothing").removeprefix("sha256:")[:SHORT]


def rollback_plan(
    seen: Seen, *, release: str, fetch: Mapping[str, str], origin: str, notifies: bool = False
) -> Plan:
    """Go back to a recorded release: what is missing is fetched, the rest is put back by id."""
    services = tuple(changes(seen, Wish(kind="rollback"), ()))
    steps = [
        Step(Act.PREFLIGHT, "guards", "before anything is changed"),
        Step(Act.LOCK, seen.target.project, "one deploy at a time on this engine"),
        Step(Act.SNAPSHOT, _snapshot(seen), "to be put back if this fails"),
        *(
            Step(Act.SWEEP, one.name, "an interrupted replacement left it")
            for one in seen.left_over
        ),
        *(Step(Act.FETCH, name, how, (name,)) for name, how in fetch.items()),
        Step(Act.NAME, "images", f"each name means again what it meant in {origin}"),
        Step(Act.UP, _counted(services), _reasons(services), seen.draft.services),
        Step(Act.VERIFY, "services", "well, right image, APP_ENV", seen.draft.services),
        Step(Act.RECORD, "release", "to be found and restored again"),
    ]
    if notifies:
        steps.append(Step(Act.NOTIFY, "outcome", "those who want to know"))
    target, of = seen.target, seen.live
    return Plan(
        env=target.env,
        project=target.project,
        engine=target.engine_name,
        release=release,
        git_sha=of.git_sha if of else "",
        git_subject=of.git_subject if of else "",
        steps=tuple(steps),
        services=services,
    )
