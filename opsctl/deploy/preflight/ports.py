"""Published ports: databases stay private in production, and no port is already in use."""

from collections.abc import Iterator

from opsctl.addresses import EVERYWHERE, is_loopback
from opsctl.deploy.model import DeployIssue, Observation
from opsctl.deploy.preflight.model import PreflightInput
from opsctl.deploy.preflight.stateful_services import has_database_image
from opsctl.settings.sections.deploy import Deploy
from opsctl.systems.engine.compose_model import Port, Service


def check_database_ports(facts: PreflightInput) -> Iterator[DeployIssue]:
    """Allow production databases on loopback and the tailnet only."""
    if not facts.observation.target.is_prod:
        return
    for service in facts.services:
        for port in service.ports:
            if not _is_database(service, port, facts.settings):
                continue
            if not is_private(port.host_ip, facts.observation.tailnet_addresses):
                address = port.host_ip or "all addresses"
                yield DeployIssue(
                    "public database port",
                    f"{service.name} publishes {port.target} on {address}",
                    f'Remove "ports" from {service.name}, or bind it to 127.0.0.1.',
                )


def _is_database(service: Service, port: Port, settings: Deploy) -> bool:
    return port.target in settings.database_ports or has_database_image(service, settings)


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
    return first == second or first in EVERYWHERE or second in EVERYWHERE
