from typing import Any

import pytest

from opsctl.deploy.preflight.ports import check_database_ports, check_ports_free
from opsctl.systems.engine.inventory import PortPublisher
from opsctl.systems.host import Listener
from tests.unit.deploy.observations import make_observation, run_check

ALL_ADDRESSES = "0.0.0.0"  # noqa: S104 - what is to be refused


def _port(target: int, host_ip: str = "", published: str = "") -> dict[str, Any]:
    return {"target": target, "published": published or str(target), "host_ip": host_ip}


@pytest.mark.parametrize(
    ("image", "port", "is_refused"),
    [
        ("web:1", _port(5432), True),
        ("web:1", _port(5432, ALL_ADDRESSES), True),
        ("web:1", _port(5432, "::"), True),
        ("web:1", _port(6379, "192.168.1.2"), True),
        ("web:1", _port(5432, "100.64.0.9"), True),
        ("web:1", _port(5432, "100.64.0.1"), False),
        ("web:1", _port(5432, "127.0.0.1"), False),
        ("web:1", _port(5432, "::1"), False),
        ("ghcr.io/me/timescaledb:2", _port(15432), True),
        ("pgvector/pgvector:pg17", _port(15432), True),
        ("web:1", _port(8080), False),
        ("prometheuscommunity/postgres-exporter:v0.15", _port(9187), False),
        ("postgrest/postgrest:v12", _port(3000), False),
        ("mongo-express:1", _port(8081), False),
    ],
)
def test_a_database_port_of_production_is_private(
    image: str,
    port: dict[str, Any],
    is_refused: bool,  # noqa: FBT001 - a case
) -> None:
    services = {"db": {"image": image, "ports": [port]}}
    own = frozenset({"100.64.0.1"})
    prod = make_observation(services, env="prod", tailnet_addresses=own)
    dev = make_observation(services, env="dev")

    issues = run_check(check_database_ports, prod)

    assert issues == ([("public database port", False)] if is_refused else [])
    assert run_check(check_database_ports, dev) == []


def _publisher(project: str, address: str = ALL_ADDRESSES) -> PortPublisher:
    return PortPublisher("c1", project, address, 8080)


@pytest.mark.parametrize(
    ("more", "is_in_use"),
    [
        ({"publishers": (_publisher("other"),)}, True),
        ({"publishers": (_publisher("other", "127.0.0.2"),)}, False),
        ({"publishers": (_publisher("shop-dev"),)}, False),
        (
            {
                "publishers": (_publisher("shop-dev"),),
                "listeners": (Listener(ALL_ADDRESSES, 8080),),
            },
            False,
        ),
        ({"listeners": (Listener("127.0.0.1", 8080, 7, "nginx"),)}, True),
        ({"listeners": (Listener("127.0.0.1", 8081),)}, False),
        ({"listeners": (Listener("::", 8080),)}, True),
        ({"listeners": (Listener("::1", 8080),)}, False),
        ({}, False),
    ],
)
def test_a_port_in_use_by_others_is_refused(more: dict[str, Any], is_in_use: bool) -> None:  # noqa: FBT001 - a case
    services = {"web": {"image": "web:1", "ports": [_port(8080, "127.0.0.1")]}}

    issues = run_check(check_ports_free, make_observation(services, **more))

    assert issues == ([("port in use", False)] if is_in_use else [])


def test_an_ipv6_address_is_free_beside_every_ipv4_address() -> None:
    services = {"web": {"image": "web:1", "ports": [_port(8080, "::1")]}}
    listener = Listener(ALL_ADDRESSES, 8080, 7, "nginx")

    issues = run_check(check_ports_free, make_observation(services, listeners=(listener,)))

    assert issues == []


SIDECAR = {"image": "proxy:1", "ports": [_port(7000)]}


@pytest.mark.parametrize(
    ("database", "is_refused"),
    [
        ({"command": ["redis-server", "--port", "7000"]}, True),
        ({"expose": ["7000"]}, True),
        ({}, False),
    ],
)
def test_a_database_in_the_network_of_a_service_that_publishes_its_port_is_public(
    database: dict[str, Any],
    is_refused: bool,  # noqa: FBT001 - a case
) -> None:
    cache = {"image": "redis:8", "network_mode": "service:front", **database}
    observation = make_observation({"front": SIDECAR, "cache": cache}, env="prod")

    issues = run_check(check_database_ports, observation)

    assert issues == ([("public database port", False)] if is_refused else [])


@pytest.mark.parametrize(
    ("command", "is_refused"),
    [
        ([], True),
        (["redis-server", "--bind", "127.0.0.1"], False),
        (["redis-server", "--bind", "::1"], False),
        (["redis-server", "--bind", "10.127.0.0.1"], True),
    ],
)
def test_a_database_in_the_network_of_the_host_is_public_unless_it_binds_loopback(
    command: list[str],
    is_refused: bool,  # noqa: FBT001 - a case
) -> None:
    cache = {"image": "redis:8", "network_mode": "host", "command": command}
    issues = run_check(check_database_ports, make_observation({"cache": cache}, env="prod"))

    assert issues == ([("public database port", False)] if is_refused else [])
