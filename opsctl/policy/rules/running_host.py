"""Rules of `--live`: what really listens, who is really connected, what really runs."""

from collections.abc import Iterator

from opsctl.addresses import EVERYWHERE, is_loopback, is_public
from opsctl.findings import Level
from opsctl.policy.model import Rule, Severity, Violation, rule
from opsctl.policy.running_host import RunningHost
from opsctl.systems.engine.model import Container, PublishedPort

_SSH = 22
_TAILSCALE = "tailscale"
# Heard by the containers of this machine, and by nobody else.
_BRIDGES = ("docker", "br-", "veth", "podman", "cni")


def _is_beyond(machine: RunningHost, address: str) -> bool:
    """Say whether more than loopback, the tailnet and our own containers hear this address."""
    if address in EVERYWHERE:
        return True
    if is_loopback(address):
        return False
    bare = address.partition("%")[0]
    for name, addresses in machine.interfaces.items():
        if bare in addresses:
            return not name.startswith((_TAILSCALE, *_BRIDGES))
    # An address in the tailnet's range is no proof: providers use the range, too.
    return True


def _everywhere(address: str) -> str:
    return "every address" if address in EVERYWHERE else address


def _published(machine: RunningHost) -> Iterator[tuple[Container, PublishedPort]]:
    for running in machine.containers:
        for port in running.container.published:
            if _is_beyond(machine, port.address):
                yield running.container, port


def _describe(container: Container, port: PublishedPort) -> str:
    place = _everywhere(port.address)
    return f"container {container.name} publishes {port.port}/{port.protocol} on {place}"


@rule(
    "live-port-open",
    Severity.ERROR,
    reason="Every port but SSH is closed from outside: what listens beyond "
    "loopback and the tailnet is open.",
    fix="Bind it to 127.0.0.1 or the tailnet's address, or stop it.",
)
def port_open(machine: RunningHost) -> Iterator[Violation]:
    published = {port.port for _, port in _published(machine)}
    violations: dict[str, None] = {}
    for socket in machine.listeners:
        taken = {*machine.policy.open_ports, *machine.database_ports, *published}
        if socket.port not in taken and _is_beyond(machine, socket.address):
            program = socket.program or "a program"
            violations[
                f"{program} listens on {_everywhere(socket.address)}, port {socket.port}"
            ] = None
    for socket in machine.datagrams:
        taken = {*machine.policy.open_udp_ports, *published}
        if socket.port not in taken and _is_beyond(machine, socket.address):
            program = socket.program or "a program"
            violations[
                f"{program} listens on {_everywhere(socket.address)}, port {socket.port}/udp"
            ] = None
    for container, port in _published(machine):
        is_database = port.target in machine.database_ports
        if port.port not in machine.policy.open_ports and not is_database:
            violations[_describe(container, port)] = None
    yield from (Violation(what) for what in violations)


@rule(
    "live-database-open",
    Severity.ERROR,
    reason="The database is reached over the tailnet only; its port is closed from outside.",
    fix="Publish it on 127.0.0.1 and close it in the provider's security list.",
)
def database_open(machine: RunningHost) -> Iterator[Violation]:
    ports, violations = machine.database_ports, dict[str, None]()
    published = {port.port for _, port in _published(machine)}
    for socket in machine.listeners:
        known = socket.port in ports and socket.port not in published
        if known and _is_beyond(machine, socket.address):
            violations[
                f"a database's port {socket.port} listens on {_everywhere(socket.address)}"
            ] = None
    for container, port in _published(machine):
        if port.target in ports:
            violations[_describe(container, port)] = None
    for host, number in machine.open_ports:
        violations[f"port {number} of {host} answers from here"] = None
    yield from (Violation(what) for what in violations)


@rule(
    "live-public-client",
    Severity.ERROR,
    reason="SSH and databases are used over the tailnet; a public address means a way around it.",
    fix="Find out who it is (ss -tnp), close the port, and use the MagicDNS name.",
)
def public_client(machine: RunningHost) -> Iterator[Violation]:
    listening = {socket.port for socket in machine.listeners}
    watched = {_SSH, *machine.database_ports} & listening
    violations: dict[str, None] = {}
    for socket in machine.connections:
        if socket.port in watched and is_public(socket.remote):
            violations[f"{socket.remote} is connected to port {socket.port}"] = None
    for client in machine.clients:
        if is_public(client.address):
            violations[f"{client.address} is connected to {client.database}"] = None
    yield from (Violation(what) for what in violations)


@rule(
    "live-app-env",
    Severity.ERROR,
    reason="Every container learns from APP_ENV (production or development) where it runs.",
    fix="Put APP_ENV into its service and deploy again: opsctl up.",
)
def app_env(machine: RunningHost) -> Iterator[Violation]:
    for running in machine.containers:
        if running.app_env not in {"production", "development"}:
            had = "no APP_ENV" if running.app_env is None else "an APP_ENV that is neither"
            yield Violation(f"container {running.container.name} has {had}")


@rule(
    "live-limits",
    Severity.ERROR,
    reason="One container without limits takes the whole server with it.",
    fix="Give its service mem_limit and cpus and deploy again: opsctl up.",
)
def limits(machine: RunningHost) -> Iterator[Violation]:
    for running in machine.containers:
        socket = running.container
        lacks = [
            name
            for name, given in (("memory", socket.memory_limit_bytes), ("cpus", socket.cpu_limit))
            if not given
        ]
        if lacks:
            yield Violation(f"container {socket.name} has no limit on {' and '.join(lacks)}")


@rule(
    "live-local-copy",
    Severity.ERROR,
    reason="A copy of production's data is for this machine only; the tailnet is outside, too.",
    fix="Publish it on 127.0.0.1 alone.",
)
def local_copy(machine: RunningHost) -> Iterator[Violation]:
    for running in machine.containers:
        socket = running.container
        if machine.policy.local_copy_label in socket.labels:
            for port in socket.published:
                if not is_loopback(port.address):
                    yield Violation(f"a local copy: {_describe(socket, port)}")


@rule(
    "live-unseen",
    Severity.ERROR,
    reason="What could not be read is not known to be healthy.",
    fix="Run it on the server, as a user that may see it (sudo shows programs of other users).",
)
def unseen(machine: RunningHost) -> Iterator[Violation]:
    for what, why in machine.unread_parts:
        yield Violation(f"{what} could not be read: {why}", level=Level.UNKNOWN)


LIVE_RULES: tuple[Rule[RunningHost], ...] = (
    port_open,
    database_open,
    public_client,
    app_env,
    limits,
    local_copy,
    unseen,
)
