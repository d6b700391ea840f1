"""Only services named in the settings may control the host."""

from collections.abc import Iterator
from pathlib import PurePosixPath

from opsctl.deploy.model import DeployIssue
from opsctl.deploy.preflight.model import PreflightInput
from opsctl.systems.engine.compose_model import Service

# Folders count as well: whoever mounts one has the socket in it.
SOCKET_PATHS = frozenset(
    {"/var/run/docker.sock", "/run/docker.sock", "/var/run", "/run", "/", "/var"}
    | {"/run/containerd/containerd.sock", "/var/run/containerd/containerd.sock"}
)
SOCKET_NAMES = frozenset({"docker.sock", "containerd.sock", "podman.sock"})
HOST_MODE = "host"


def check_host_access(facts: PreflightInput) -> Iterator[DeployIssue]:
    for service in facts.services:
        name = service.name
        if _mounts_socket(service) and name not in facts.settings.allow_docker_socket:
            yield DeployIssue(
                "engine socket",
                f"{name} mounts the engine's socket, which gives root on the host",
                f"Remove the mount, or add {name} to deploy.allow_docker_socket.",
            )
        if _is_privileged(service) and name not in facts.settings.allow_privileged:
            yield DeployIssue(
                "privileged service",
                f"{name} is privileged, or shares the host's processes or network",
                f"Remove that, or add {name} to deploy.allow_privileged.",
            )


def _mounts_socket(service: Service) -> bool:
    mounts = (PurePosixPath(mount.source) for mount in service.volumes if mount.kind == "bind")
    return any(str(path) in SOCKET_PATHS or path.name in SOCKET_NAMES for path in mounts)


def _is_privileged(service: Service) -> bool:
    shares_host = HOST_MODE in {service.network_mode, service.pid, service.ipc}
    has_all = "ALL" in {capability.upper() for capability in service.cap_add}
    return service.is_privileged or shares_host or has_all
