"""Published ports: databases stay private in production, and no port is already in use."""

import re
from collections.abc import Iterator

from opsctl.addresses import EVERYWHERE, is_loopback
from opsctl.deploy.model import DeployIssue, Observation
from opsctl.deploy.preflight.databases import is_database
from opsctl.deploy.preflight.model import PreflightInput
from opsctl.systems.engine.compose_model import Port, Service

DATABASE_PORT = "public database port"
HOST_NETWORK, OF_SERVICE = "host", "service:"
IPV4_EVERYWHERE = "0.0.0.0"  # noqa: S104 - compared, not bound
LOOPBACK_WORD = re.compile(r"(?<![\d.])127\.0\.0\.1(?![\d.])|\blocalhost\b|(?<![:\w])::1(?![:\w])")


def check_database_ports(facts: PreflightInput) -> Iterator[DeployIssue]:
    """Allow production databases on loopback and the tailnet only."""
    if not facts.observation.target.is_prod:
        return
    for service in facts.services:
        for port in service.ports:
            if not _is_database_port(facts, service, port):
                continue
            if not is_private(port.host_ip, facts.observation.tailnet_addresses):
                address = port.host_ip or "all addresses"
                yield DeployIssue(
                    DATABASE_PORT,
                    f"{service.name} publishes {port.target} on {address}",
                    f'Remove "ports" from {service.name}, or bind it to 127.0.0.1.',
                )
        if _network_owner(facts, service) == HOST_NETWORK and _is_public_in_host(facts, service):
            yield DeployIssue(
                DATABASE_PORT,
                f"{service.name} is a database in the host's network",
                f"Give {service.name} a network of the project, or let its command bind 127.0.0.1.",
            )


def _is_database_port(facts: PreflightInput, service: Service, port: Port) -> bool:
    """Judge the service, and those that share its network: it publishes their ports as well."""
    if port.target in facts.settings.database_ports or _is_database(facts, service):
        return True
    return any(
        _network_owner(facts, other) == service.name
        and _is_database(facts, other)
        and _may_listen(facts, other, port.target)
        for other in facts.services
    )


def _is_database(facts: PreflightInput, service: Service) -> bool:
    observation = facts.observation
    image = observation.images.get(service.image)
    project = observation.generated.rendered.name
    return is_database(service, facts.settings, image=image, project=project)


def _network_owner(facts: PreflightInput, service: Service) -> str:
    """Name the service whose network this one uses, or `host`."""
    services = facts.observation.generated.rendered.services
    seen: set[str] = set()
    while service.network_mode.startswith(OF_SERVICE) and service.name not in seen:
        seen.add(service.name)
        name = service.network_mode.removeprefix(OF_SERVICE)
        if name not in services:
            return name
        service = services[name]
    return HOST_NETWORK if service.network_mode == HOST_NETWORK else service.name


def _may_listen(facts: PreflightInput, service: Service, target: int) -> bool:
    image = facts.observation.images.get(service.image)
    exposed = {str(port) for port in image.ports} if image else set()
    exposed |= {port.partition("/")[0] for port in service.expose}
    words = " ".join((*(service.entrypoint or ()), *service.command))
    return str(target) in exposed | set(re.findall(r"\d+", words))


def _is_public_in_host(facts: PreflightInput, service: Service) -> bool:
    words = " ".join((*(service.entrypoint or ()), *service.command))
    is_bound = LOOPBACK_WORD.search(words) or any(
        address in words for address in facts.observation.tailnet_addresses
    )
    return _is_database(facts, service) and not is_bound


def is_private(address: str, tailnet_addresses: frozenset[str]) -> bool:
    """Accept loopback and this machine's own tailnet addresses, not the whole 100.64.0.0/10."""
    return is_loopback(address) or address in tailnet_addresses


def check_ports_free(facts: PreflightInput) -> Iterator[DeployIssue]:
    """Find ports in use now: the deploy would fail half-way."""
    for service in facts.services:
        for port in service.ports:
            user = _find_port_user(facts.observation, port)
            if user:
                yield DeployIssue(
                    "port in use",
                    f"{service.name} publishes port {port.published}, which {user} uses",
                    f"Stop it, or publish {service.name} on another port.",
                )


def _find_port_user(observation: Observation, port: Port) -> str:
    if port.published is None or port.protocol != "tcp":
        return ""
    is_ours = False
    for publisher in observation.publishers:
        if publisher.port == port.published and _overlap(publisher.address, port.host_ip):
            if publisher.project != observation.target.project:
                return f"container {publisher.container}"
            is_ours = True
    if is_ours:
        return ""
    for listener in observation.listeners:
        if listener.port == port.published and _overlap(listener.address, port.host_ip):
            return f"{listener.program or 'another program'} on {listener.address}"
    return ""


def _overlap(first: str, second: str) -> bool:
    """Whether both addresses can take the same packet; `::` may serve IPv4 as well."""
    for everywhere, other in ((first, second), (second, first)):
        if everywhere == IPV4_EVERYWHERE:
            return ":" not in other or other in EVERYWHERE
        if everywhere in EVERYWHERE:
            return True
    return first == second
