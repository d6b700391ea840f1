"""Rules: nothing is reachable that need not be, and no service is root on the host."""

from collections.abc import Iterator
from pathlib import PurePosixPath

from opsctl.addresses import EVERYWHERE, is_loopback, is_tailnet
from opsctl.policy.model import Rule, Severity, Violation, rule
from opsctl.policy.project import CheckedComposeFile, CheckedProject
from opsctl.policy.rules.services import each_service, service_violation
from opsctl.systems.engine.compose_model import Port, Service, Volume
from opsctl.systems.engine.image_names import is_named_after

SOCKETS = frozenset({"docker.sock", "containerd.sock", "podman.sock", "crio.sock", "dockerd.sock"})
# Folders that hold the socket, or the whole host.
_HOLDERS = frozenset(
    "/ /run /var /var/run /run/docker /run/containerd /run/podman".split()  # noqa: SIM905 - paths
)
_HOST = frozenset(
    "/etc /root /home /boot /proc /sys /dev /usr /lib /var/lib /var/lib/docker".split()  # noqa: SIM905 - same
)
_POWERS = frozenset(
    "ALL BPF DAC_READ_SEARCH NET_ADMIN SYS_ADMIN SYS_BOOT SYS_MODULE SYS_PTRACE SYS_RAWIO".split()  # noqa: SIM905 - words
)


def _is_database(service: Service, port: Port, project: CheckedProject) -> bool:
    if port.target in project.deploy.database_ports:
        return True
    if service.name in project.deploy.stateless:
        return False
    return is_named_after(service.image, project.deploy.database_images)


def _outside(project: CheckedProject) -> Iterator[tuple[CheckedComposeFile, Service, Port, bool]]:
    for file, service in each_service(project):
        for port in service.ports:
            if not (is_loopback(port.host_ip) or is_tailnet(port.host_ip)):
                yield file, service, port, _is_database(service, port, project)


def _describe(port: Port) -> str:
    number = port.published or "a free port"
    place = "every address" if port.host_ip in EVERYWHERE else port.host_ip
    return f"{number} (to {port.target}/{port.protocol}) on {place}"


@rule(
    "compose-database-port",
    Severity.ERROR,
    reason="Databases are reached over the tailnet only; port 5432 is closed from outside.",
    fix='Publish on loopback, "127.0.0.1:5432:5432", or not at all: services '
    "reach each other by name.",
)
def database_port(project: CheckedProject) -> Iterator[Violation]:
    for file, service, port, is_database in _outside(project):
        if is_database:
            yield service_violation(
                file, service, f"a database is published: {_describe(port)}", "ports"
            )


@rule(
    "compose-public-port",
    Severity.ERROR,
    reason="Every port but SSH is closed from outside; Docker opens its ports past the firewall.",
    fix="Publish on 127.0.0.1 or the tailnet's address.",
)
def public_port(project: CheckedProject) -> Iterator[Violation]:
    for file, service, port, is_database in _outside(project):
        if not is_database and port.published not in project.policy.open_ports:
            yield service_violation(file, service, f"it is published: {_describe(port)}", "ports")


@rule(
    "compose-docker-socket",
    Severity.ERROR,
    reason="Anyone who can reach the engine's socket is root on the host.",
    fix="Remove it; list a service that needs it in deploy.allow_docker_socket.",
)
def docker_socket(project: CheckedProject) -> Iterator[Violation]:
    for file, service in each_service(project):
        if service.name in project.deploy.allow_docker_socket:
            continue
        for volume in service.volumes:
            if _leads_to_socket(volume):
                yield service_violation(
                    file, service, f"it mounts the engine's socket: {volume.source}", "volumes"
                )
        if (service.environment.get("DOCKER_HOST") or "").startswith("tcp://"):
            yield service_violation(
                file, service, "DOCKER_HOST names an engine over TCP", "DOCKER_HOST"
            )


def _leads_to_socket(volume: Volume) -> bool:
    source = PurePosixPath(volume.source)
    return volume.kind == "bind" and (source.name in SOCKETS or _folded(source) in _HOLDERS)


def _folded(path: PurePosixPath) -> str:
    """Say a path without `..`, as the kernel would walk it where no link is in the way."""
    parts: list[str] = []
    for part in path.parts[1:]:
        if part == "..":
            parts = parts[:-1]
        elif part != ".":
            parts.append(part)
    return f"/{'/'.join(parts)}"


@rule(
    "compose-host-path",
    Severity.ERROR,
    reason="A folder of the system inside a container undoes what the container keeps apart.",
    fix="Use a named volume, or mount the one file that is needed, read-only.",
)
def host_path(project: CheckedProject) -> Iterator[Violation]:
    for file, service in each_service(project):
        for volume in service.volumes:
            if volume.kind == "bind" and _folded(PurePosixPath(volume.source)) in _HOST:
                yield service_violation(
                    file, service, f"it mounts {volume.source} of the host", "volumes"
                )


@rule(
    "compose-privileged",
    Severity.ERROR,
    reason="A privileged container is the host: one hole in it is a hole in everything.",
    fix="Drop it; give the one capability that is needed; or deploy.allow_privileged.",
)
def privileged(project: CheckedProject) -> Iterator[Violation]:
    for file, service in each_service(project):
        if service.name in project.deploy.allow_privileged:
            continue
        for what, key in _powers(service):
            yield service_violation(file, service, what, key)


def _powers(service: Service) -> Iterator[tuple[str, str]]:
    if service.is_privileged:
        yield "it is privileged", "privileged"
    for capability in service.cap_add:
        name = capability.upper().removeprefix("CAP_")
        if name in _POWERS:
            yield f"it has the capability {name}", "cap_add"
    for option in service.security_opt:
        if option.replace("=", ":").endswith(":unconfined"):
            yield f"its confinement is off: {option}", "security_opt"
    for device in service.devices:
        if device in {"/dev", "/dev/mem", "/dev/kmem"} or device.startswith(
            ("/dev/sd", "/dev/nvme")
        ):
            yield f"it has the device {device}", "devices"


@rule(
    "compose-host-network",
    Severity.ERROR,
    reason="In the host's namespaces every port is public, and every process within reach.",
    fix="Use a network of the project, and publish what must be seen.",
)
def host_network(project: CheckedProject) -> Iterator[Violation]:
    for file, service in each_service(project):
        for key in ("network_mode", "pid", "ipc", "uts", "userns_mode"):
            if getattr(service, key) == "host":
                yield service_violation(file, service, f"{key} is the host's", key)


RULES: tuple[Rule[CheckedProject], ...] = (
    database_port,
    public_port,
    docker_socket,
    host_path,
    privileged,
    host_network,
)
