"""Only services named in the settings may control the host."""

from collections.abc import Iterator

from opsctl.deploy.model import DeployIssue
from opsctl.deploy.preflight.model import PreflightInput
from opsctl.systems.engine.compose_model import RenderedProject, Service, Volume
from opsctl.systems.engine.host_control import (
    gives_control,
    holds_socket,
    is_powerful_capability,
    is_powerful_device,
    opens_disks,
)

HOST_MODE, FOREIGN_MODE = "host", "container:"
NAMESPACES = {
    "network_mode": "network",
    "pid": "processes",
    "ipc": "shared memory",
    "userns_mode": "users",
}
UNIX = "unix://"


def check_host_access(facts: PreflightInput) -> Iterator[DeployIssue]:
    rendered = facts.observation.generated.rendered
    socket = facts.observation.target.engine_name
    socket = socket.removeprefix(UNIX) if socket.startswith(UNIX) else ""
    for service in facts.services:
        name, mounts = service.name, tuple(find_host_paths(service, rendered))
        sockets = [mount.source for mount in mounts if holds_socket(mount.source, socket)]
        if sockets and name not in facts.settings.allow_docker_socket:
            yield DeployIssue(
                "engine socket",
                f"{name} mounts {sockets[0]}, and with it the engine's socket,"
                " which gives root on the host",
                f"Remove the mount, or add {name} to deploy.allow_docker_socket.",
            )
        powers = ", ".join(_find_powers(service, mounts))
        if powers and name not in facts.settings.allow_privileged:
            yield DeployIssue(
                "privileged service",
                f"{name} {powers}",
                f"Remove that, or add {name} to deploy.allow_privileged.",
            )


def find_host_paths(service: Service, rendered: RenderedProject) -> Iterator[Volume]:
    """Find what the service mounts of the host, by itself or through a volume."""
    devices = {volume.key: volume.device for volume in rendered.declared_volumes}
    for mount in service.volumes:
        if mount.kind == "bind":
            yield mount
        elif devices.get(mount.source):
            device = devices[mount.source]
            yield Volume("bind", mount.target, device, is_read_only=mount.is_read_only)


def _find_powers(service: Service, mounts: tuple[Volume, ...]) -> Iterator[str]:
    if service.is_privileged:
        yield "is privileged"
    for key, what in NAMESPACES.items():
        mode = getattr(service, key)
        if mode == HOST_MODE:
            yield f"shares the {what} of the host"
        elif mode.startswith(FOREIGN_MODE):
            yield f"shares the {what} of {mode.removeprefix(FOREIGN_MODE)}, of another project"
    yield from (f"has the capability {it}" for it in service.cap_add if is_powerful_capability(it))
    yield from (f"has the device {it}" for it in service.devices if is_powerful_device(it))
    if any(opens_disks(rule) for rule in service.device_cgroup_rules):
        yield "may open every disk (device_cgroup_rules)"
    for mount in mounts:
        if gives_control(mount.source, is_read_only=mount.is_read_only):
            yield f"mounts {mount.source} of the host"
