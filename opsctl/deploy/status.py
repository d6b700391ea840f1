"""Reports what runs in an environment, its health, and how it differs from the compose file."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

from opsctl.deploy.deployed_project import read_deployed_project
from opsctl.deploy.locking.manual_lock import read_manual_lock
from opsctl.deploy.model import (
    DeployOptions,
    Observation,
    RecordedRelease,
    ServiceChange,
    ServiceContainer,
)
from opsctl.deploy.observe import Observer
from opsctl.deploy.planning.compose_actions import ActionKind
from opsctl.deploy.planning.resource_changes import plan_resources
from opsctl.deploy.planning.service_changes import plan_changes
from opsctl.deploy.services.repair import suggest_repair
from opsctl.deploy.verify.service_health import is_one_shot
from opsctl.errors import OpsctlError
from opsctl.findings import Figure, Finding, Level
from opsctl.systems.engine.compose import UnreadableProjectError
from opsctl.systems.engine.model import ContainerStats

THREADS = 8


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
class DeployStatus:
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
    locked: str = ""
    """Who blocks the deploys by hand, since when and why."""


def read_status(observer: Observer, *, with_stats: bool = True) -> DeployStatus:
    """Look at every service; the findings list what is wrong."""
    context = observer.context
    observation, problems = _observe(observer)
    stats = _measure(observer, observation.containers) if with_stats else {}
    holder = context.engine_locks.holder(context.target.project, context.inventory.facts().id)
    manual_lock = read_manual_lock(context)
    rows = tuple(_list_rows(observation, _find_drift(observation), stats))
    current, unfinished = observation.current_release, observation.unfinished_release
    is_in_progress = holder is not None
    return DeployStatus(
        env=context.target.env,
        project=context.target.project,
        engine=context.target.engine_name,
        release=current.id if current else "",
        git_sha=current.git_sha if current else "",
        git_subject=current.git_subject if current else "",
        services=rows,
        findings=(
            *problems,
            *_list_findings(observation, rows, is_in_progress=is_in_progress),
        ),
        unfinished=unfinished.id if unfinished and not is_in_progress else "",
        holder=holder.said if holder else "",
        locked=manual_lock.description if manual_lock else "",
    )


def _observe(observer: Observer) -> tuple[Observation, tuple[Finding, ...]]:
    """Compare with the compose file; if that cannot be read, with what was deployed last."""
    try:
        return observer.observe(DeployOptions()), ()
    except UnreadableProjectError as error:
        what = f"{error.what}: {error.why}"
    observation = observer.observe_generated(
        read_deployed_project(observer, observer.service_containers()),
        current=observer.release_log.current(),
        unfinished=observer.release_log.unfinished(),
    )
    fix = "Fix the compose file; `opsctl logs`, `down` and `rollback` work without it"
    return observation, (Finding("compose file", Level.CRITICAL, what, fix=fix),)


def _find_drift(observation: Observation) -> dict[str, str]:
    plans = plan_changes(observation, DeployOptions(), ())
    no_drift = {ServiceChange.KEEP, ServiceChange.RECREATE_IF_IMAGE_CHANGES}
    drifted = (plan for plan in plans if plan.change not in no_drift)
    return {plan.service: f"{plan.change}: {plan.reason}" for plan in drifted}


def _measure(
    observer: Observer, containers: tuple[ServiceContainer, ...]
) -> dict[str, ContainerStats]:
    """Measure in parallel: each container takes the engine a second or two."""
    ids = [found.container.id for found in containers if found.container.state == "running"]
    if not ids:
        return {}
    with ThreadPoolExecutor(min(THREADS, len(ids))) as pool:
        measured = pool.map(partial(_measure_container, observer), ids)
        return dict(stats for stats in measured if stats)


def _measure_container(observer: Observer, container: str) -> tuple[str, ContainerStats] | None:
    try:
        return container, observer.context.containers.stats(container)
    except OpsctlError:
        # It may have exited meanwhile; its state shows that.
        return None


def _list_rows(
    observation: Observation, drift: dict[str, str], stats: dict[str, ContainerStats]
) -> Iterator[ServiceStatus]:
    for found in sorted(observation.containers, key=lambda found: found.container.name):
        container, measured = found.container, stats.get(found.container.id)
        yield ServiceStatus(
            service=found.service,
            container=container.name,
            state=container.state,
            health=container.health or "",
            image=container.image,
            image_id=container.image_id,
            restarts=container.restart_count,
            cpu_percent=round(measured.cpu_percent, 1) if measured else None,
            memory_bytes=measured.memory_bytes if measured else None,
            drift=drift.get(found.service, ""),
        )
    present = {found.service for found in observation.containers}
    for name in sorted(set(drift) - present):
        image = observation.generated.images.get(name, "")
        yield ServiceStatus(name, "", "missing", "", image, "", 0, drift=drift[name])


def _list_findings(
    observation: Observation, rows: tuple[ServiceStatus, ...], *, is_in_progress: bool
) -> Iterator[Finding]:
    if observation.unfinished_release is not None and not is_in_progress:
        yield _report_unfinished(observation.unfinished_release)
    for resource in plan_resources(observation):
        if resource.change != ActionKind.CREATE:
            what = f"{resource.change}: {resource.reason}"
            fix = f"opsctl up -e {observation.target.env}"
            yield Finding(f"{resource.kind} {resource.name}", Level.WARNING, what, fix=fix)
    for container in observation.leftovers:
        what = "left by an interrupted replacement"
        yield Finding(container.name, Level.WARNING, what, fix="opsctl up removes it")
    for row in rows:
        yield _report_service(observation, row)


def _report_unfinished(release: RecordedRelease) -> Finding:
    what = f"release {release.id} by {release.who} was cut off in step {release.last_step}"
    if release.outcome == "degraded":
        what = f"release {release.id} failed and could not be rolled back: {release.reason}"
    env = release.env
    fix = f"Continue: opsctl up -e {env}. Go back: opsctl rollback -e {env}"
    return Finding("release", Level.CRITICAL, what, fix=fix)


def _report_service(observation: Observation, row: ServiceStatus) -> Finding:
    env = observation.target.env
    figures = tuple(_list_figures(row))
    if row.state == "missing" or not _is_healthy(observation, row):
        state = f"{row.state}, {row.health}" if row.health else row.state
        fix = f"opsctl logs -e {env} {row.service}; then opsctl up -e {env}"
        if row.state in {"running", "paused"}:
            fix = suggest_repair(env, (row.service,))
        return Finding(row.service, Level.CRITICAL, state, fix=fix, figures=figures)
    if row.drift:
        fix = f"opsctl up -e {env}"
        return Finding(row.service, Level.WARNING, row.drift, fix=fix, figures=figures)
    return Finding(row.service, Level.OK, row.health or row.state, figures=figures)


def _is_healthy(observation: Observation, row: ServiceStatus) -> bool:
    if row.state == "running":
        return row.health != "unhealthy"
    service = observation.generated.rendered.services.get(row.service)
    has_succeeded = any(
        found.container.state == "exited" and found.container.exit_code == 0
        for found in observation.containers_of(row.service)
    )
    return has_succeeded and service is not None and is_one_shot(service)


def _list_figures(row: ServiceStatus) -> Iterator[Figure]:
    yield Figure("restarts", row.restarts)
    if row.cpu_percent is not None:
        yield Figure("cpu", row.cpu_percent, "%")
    if row.memory_bytes is not None:
        yield Figure("memory", row.memory_bytes, "B")
