"""Restores what ran before a failed deploy: the same file, the same images, verified again."""

from pathlib import Path

from opsctl.deploy.compose_file import keep_services
from opsctl.deploy.compose_up import compose_up, remove_leftovers
from opsctl.deploy.integrations import ReportLine
from opsctl.deploy.model import RestorePoint, ServiceContainer
from opsctl.deploy.observe import Observer
from opsctl.deploy.planning.ask_compose import RELEASE_FILES
from opsctl.deploy.releases.image_tags import restore_tags
from opsctl.deploy.releases.restore_files import restore_text
from opsctl.deploy.secret_values import collect_secrets
from opsctl.deploy.verify.wait_until_healthy import (
    ExpectedServices,
    check_images_and_environment,
    wait_until_healthy,
)
from opsctl.errors import OpsctlError, UnreachableError
from opsctl.systems.engine.compose import ComposeProject, UpOptions
from opsctl.systems.engine.compose_labels import PROJECT_LABEL
from opsctl.systems.engine.compose_model import RenderedProject, read_rendered
from opsctl.systems.engine.guarded_engine import AllowedCalls
from opsctl.systems.files.local import MissingFileError
from opsctl.systems.process.output import Line

POLL_S = 0.5
SHOWN_LINES = 5


def restore(
    observer: Observer,
    restore_point: RestorePoint,
    *,
    generated_text: str,
    timeout_s: float,
    report: ReportLine,
) -> tuple[ServiceContainer, ...]:
    """Restore what ran before; raise unless exactly that runs in the end."""
    wait_for_engine(observer, report=report)
    restore_tags(observer, restore_point.image_names)
    remove_leftovers(observer)
    if restore_point.is_empty:
        _remove_started(observer, report=report)
        return ()
    file, rendered = _find_project_file(observer, restore_point, generated_text)
    services = tuple(sorted(set(restore_point.images) & set(rendered.services)))
    restarts = {
        found.container.id: found.container.restart_count for found in observer.service_containers()
    }
    secrets = collect_secrets(observer.context, rendered)
    project = observer.context.target.compose_project(file, secrets=secrets)
    _start_services(observer, project, services, limit_s=timeout_s, report=report)
    _remove_jobs(observer, restore_point)
    expected = ExpectedServices(
        services={n: rendered.services[n] for n in services if n not in restore_point.unhealthy},
        images=dict(restore_point.images),
        manifests={n: (digest,) for n, digest in restore_point.manifests.items() if digest},
        restarts_before=restarts,
    )
    return _verify_restored(observer, expected, services, timeout_s=timeout_s, report=report)


def wait_for_engine(observer: Observer, *, report: ReportLine) -> None:
    """Wait for an engine that restarts; one that stays down needs a person."""
    context = observer.context
    end = context.clock.steady() + context.settings.deploy.engine_wait_s
    while True:
        try:
            context.containers.now()
        except UnreachableError:
            if context.clock.steady() >= end:
                raise
        else:
            return
        report("waiting for the container engine")
        context.clock.sleep(POLL_S)


def _remove_started(observer: Observer, *, report: ReportLine) -> None:
    """Nothing ran before: remove what was started, except volumes."""
    context = observer.context
    finished = context.compose.down(
        context.target.compose_project(),
        lambda line: report(line.text),
    )
    if finished.exit_code:
        report(f"docker compose could not remove everything: {finished.complaint}")
    # Compose may leave a container that is just being created, and the network that it uses.
    project = context.target.project
    for container in observer.project_containers():
        context.containers.remove(container.id, force=True)
    for network in context.inventory.unused_networks():
        if network.labels.get(PROJECT_LABEL) == project:
            context.inventory.remove_network(network.id)
    if remaining := observer.project_containers():
        names = ", ".join(container.name for container in remaining)
        raise OpsctlError("cannot remove what was started", why=f"still there: {names}")


def _find_project_file(
    observer: Observer, restore_point: RestorePoint, generated_text: str
) -> tuple[Path, RenderedProject]:
    """Use the file it ran from, or else today's with the services and images of then."""
    try:
        if restore_point.file:
            file = Path(restore_point.file)
            text, rendered = _restore_files(observer, restore_point, file)
            return (file if text is None else _write_file(observer, text)), rendered
    except MissingFileError:
        pass
    images = restore_point.images.items()
    text = keep_services(generated_text, {s: _name_of(restore_point, image) for s, image in images})
    return _write_file(observer, text), read_rendered(text)


def _restore_files(
    observer: Observer, restore_point: RestorePoint, file: Path
) -> tuple[str | None, RenderedProject]:
    """Read the file; its text is another one where copies of mounted files are needed."""
    before = observer.context.files.read_text(file)
    services = tuple(restore_point.images)
    try:
        text, _ = restore_text(observer, before, services, restore_point.release)
    except OpsctlError:
        # A full disk, for one: the services count more than their files of then.
        text = before
    return (None if text == before else text), read_rendered(text)


def _write_file(observer: Observer, text: str) -> Path:
    context = observer.context
    path = context.state_directory / RELEASE_FILES / f"restore-{context.target.env}.json"
    context.files.make_private_dir(path.parent)
    context.files.write_text(path, text)
    return path


def _name_of(restore_point: RestorePoint, image_id: str) -> str:
    names = restore_point.image_names.items()
    return next((name for name, named in names if named == image_id), image_id)


def _remove_jobs(observer: Observer, restore_point: RestorePoint) -> None:
    """Remove the jobs that only the failed release has run: they did not run before."""
    if not restore_point.containers:
        return
    for found in observer.service_containers():
        is_new = found.container.id not in restore_point.containers
        if is_new and found.service not in restore_point.images and not found.is_up:
            observer.context.containers.remove(found.container.id, force=True)


def _start_services(
    observer: Observer,
    project: ComposeProject,
    services: tuple[str, ...],
    *,
    limit_s: float,
    report: ReportLine,
) -> None:
    how = UpOptions(services=services, wait_timeout_s=None, remove_orphans=True, limit_s=limit_s)
    output: list[str] = []

    def take_line(line: Line) -> None:
        output.append(line.text)
        report(line.text)

    # Whatever of this project stands in the way may go; nothing of another one.
    allowed = AllowedCalls(project=project.name)
    finished = compose_up(observer, project, how, take_line, allowed=allowed)
    if finished.exit_code:
        why = " | ".join(output[-SHOWN_LINES:])
        raise OpsctlError("cannot restore the previous release", why=why)


def _verify_restored(
    observer: Observer,
    expected: ExpectedServices,
    services: tuple[str, ...],
    *,
    timeout_s: float,
    report: ReportLine,
) -> tuple[ServiceContainer, ...]:
    containers = wait_until_healthy(observer, expected, timeout_s=timeout_s, report=report)
    missing = sorted(set(expected.images) - set(services))
    if missing:
        why = f"no record of {', '.join(missing)}"
        raise OpsctlError("cannot restore every service", why=why)
    check_images_and_environment(observer, expected, containers)
    return containers
