"""Finds what a project consists of without its compose file: as it was deployed, or as it runs."""

from collections.abc import Iterable

from opsctl.deploy.model import GeneratedProject, ServiceContainer
from opsctl.deploy.observe import Observer
from opsctl.systems.engine.compose_model import RenderedProject, Service


def read_deployed_project(
    observer: Observer, containers: tuple[ServiceContainer, ...]
) -> GeneratedProject:
    """Read the file of the current release; without one, go by the containers."""
    current = observer.release_log.current()
    recorded = observer.read_release_file(current) if current else None
    return recorded or assume_project(observer.context.target.project, containers)


def assume_project(name: str, containers: Iterable[ServiceContainer]) -> GeneratedProject:
    """Describe a project by its containers."""
    services: dict[str, Service] = {}
    hashes: dict[str, str] = {}
    for found in containers:
        count = services[found.service].replicas if found.service in services else 0
        image = found.container.image
        services[found.service] = Service(found.service, image=image, replicas=count + 1)
        hashes[found.service] = found.config_hash
    names = tuple(sorted(services))
    return GeneratedProject("", "", RenderedProject(name, services), names, hashes)
