"""Says what runs of an environment, how it is, and how it differs from what should."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

from opsctl.deploy.model import Change, Recorded, Running, Seen, Wish
from opsctl.deploy.observe import Observer
from opsctl.deploy.plan import changes
from opsctl.deploy.verify.service_health import is_one_shot
from opsctl.errors import OpsctlError
from opsctl.findings import Figure, Finding, Level
from opsctl.systems.engine.model import ContainerStats

AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class ServiceStatus:
    service: str
    container: str
    state: str
    health: str
    image: str
    image_id: str
    restarts: int
    cpu_percent: float | None = None
    memory_bytes: int | None = None
    drift: str = ""


@dataclass(frozen=True, slots=True)
class Status:
    env: str
    project: str
    engine: str
    release: str
    git_sha: str
    git_subject: str
    services: tuple[ServiceStatus, ...]
    findings: tuple[Finding, ...]
    unfinished: str = ""
    holder: str = ""


def status(observer: Observer, *, measure: bool = True) -> Status:
    """Look at every service; findings say what is not as it should be."""
    site = observer.site
    seen = observer.look(Wish())
    stats = _stats(observer, seen.running) if measure else {}
    holder = site.engine_locks.holder(site.target.project, site.stock.facts().id)
    rows = tuple(_rows(seen, _drift(seen), stats))
    is_at_work = holder is not None
    return Status(
        env=site.target.env,
        project=site.target.project,
        engine=site.target.engine_name,
        release=seen.live.id if seen.live else "",
        git_sha=seen.live.git_sha if seen.live else "",
        git_subject=seen.live.git_subject if seen.live else "",
        services=rows,
        findings=tuple(_findings(seen, rows, is_at_work=is_at_work)),
        unfinished=seen.unfinished.id if seen.unfinished and not is_at_work else "",
        holder=holder.said if holder else "",
    )


def _drift(seen: Seen) -> dict[str, str]:
    planned = changes(seen, Wish(), ())
    kept = {Change.KEEP, Change.MAYBE}
    return {one.service: f"{one.change}: {one.reason}" for one in planned if one.change not in kept}


def _stats(observer: Observer, running: tuple[Running, ...]) -> dict[str, ContainerStats]:
    """Measure all at once: each takes the engine a second or two."""
    alive = [one.container.id for one in running if one.container.state == "running"]
    if not alive:
        return {}
    with ThreadPoolExecutor(min(AT_ONCE, len(alive))) as pool:
        measured = pool.map(partial(_stat, observer), alive)
        return dict(found for found in measured if found)


def _stat(observer: Observer, container: str) -> tuple[str, ContainerStats] | None:
    try:
        return container, observer.site.containers.stats(container)
    except OpsctlError:
        # It may have ended in between; its state says so.
        return None


def _rows(
    seen: Seen, drift: dict[str, str], stats: dict[str, ContainerStats]
) -> Iterator[ServiceStatus]:
    for one in sorted(seen.running, key=lambda one: one.container.name):
        container, measured = one.container, stats.get(one.container.id)
        yield ServiceStatus(
            service=one.service,
            container=container.name,
            state=container.state,
            health=container.health or "",
            image=container.image,
            image_id=container.image_id,
            restarts=container.restart_count,
            cpu_percent=round(measured.cpu_percent, 1) if measured else None,
            memory_bytes=measured.memory_bytes if measured else None,
            drift=drift.get(one.service, ""),
        )
    there = {one.service for one in seen.running}
    for name in sorted(set(drift) - there):
        image = seen.draft.images.get(name, "")
        yield ServiceStatus(name, "", "missing", "", image, "", 0, drift=drift[name])


def _findings(
    seen: Seen, rows: tuple[ServiceStatus, ...], *, is_at_work: bool
) -> Iterator[Finding]:
    if seen.unfinished is not None and not is_at_work:
        yield _unfinished(seen.unfinished)
    for container in seen.left_over:
        what = "an interrupted replacement left it behind"
        yield Finding(container.name, Level.WARNING, what, fix="opsctl up removes it")
    for row in rows:
        yield _finding(seen, row)


def _unfinished(release: Recorded) -> Finding:
    what = f"release {release.id} by {release.who} was cut off in step {release.last_step}"
    if release.outcome == "degraded":
        what = f"release {release.id} failed and could not be put back: {release.reason}"
    env = release.env
    return Finding(
        "release",
        Level.CRITICAL,
        what,
        fix=f"Go on: opsctl up -e {env}. Go back: opsctl rollback -e {env}",
    )


def _finding(seen: Seen, row: ServiceStatus) -> Finding:
    env = seen.target.env
    figures = tuple(_figures(row))
    if row.state == "missing" or not _is_well(seen, row):
        said = f"{row.state}, {row.health}" if row.health else row.state
        fix = f"opsctl logs -e {env} {row.service}; then opsctl up -e {env}"
        return Finding(row.service, Level.CRITICAL, said, fix=fix, figures=figures)
    if row.drift:
        fix = f"opsctl up -e {env}"
        return Finding(row.service, Level.WARNING, row.drift, fix=fix, figures=figures)
    return Finding(row.service, Level.OK, row.health or row.state, figures=figures)


def _is_well(seen: Seen, row: ServiceStatus) -> bool:
    if row.state == "running":
        return row.health != "unhealthy"
    service = seen.draft.rendered.services.get(row.service)
    ended_well = any(
        one.container.state == "exited" and one.container.exit_code == 0
        for one in seen.of(row.service)
    )
    return ended_well and service is not None and is_one_shot(service)


def _figures(row: ServiceStatus) -> Iterator[Figure]:
    yield Figure("restarts", row.restarts)
    if row.cpu_percent is not None:
        yield Figure("cpu", row.cpu_percent, "%")
    if row.memory_bytes is not None:
        yield Figure("memory", row.memory_bytes, "B")
