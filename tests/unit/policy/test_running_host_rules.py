"""What runs is judged by who can reach it; each rule has what breaks it and what does not."""

from typing import Any

import pytest

from opsctl.findings import Finding
from opsctl.policy.apply_rules import apply_rules
from opsctl.policy.rules.running_host import LIVE_RULES
from opsctl.policy.running_host import (
    DatabaseClient,
    RunningContainer,
    RunningHost,
    parse_client_addresses,
)
from opsctl.settings.sections.deploy import Deploy
from opsctl.settings.sections.policy import Policy
from opsctl.systems.engine.model import Container, PublishedPort
from opsctl.systems.host import Connection, Listener

WORLD = "150.230" + ".11.7"
INTERFACES = {
    "lo": ("127.0.0.1", "::1"),
    "eth0": ("10.0.0.5", "100.64.9.9"),
    "tailscale0": ("100.101.102.103", "fd7a:115c:a1e0::7"),
    "docker0": ("172.17.0.1",),
}


def container(*published: PublishedPort, **facts: Any) -> Container:
    given = {"memory_limit_bytes": 1, "cpu_limit": 0.5, **facts}
    return Container("1", "web", "i", "web:1", "running", published=published, **given)


def machine(**facts: Any) -> RunningHost:
    return RunningHost(Policy(), Deploy().database_ports, interfaces=INTERFACES, **facts)


def running(
    *published: PublishedPort, app_env: str | None = "production", **facts: Any
) -> RunningHost:
    return machine(containers=(RunningContainer(container(*published, **facts), app_env),))


def listening(address: str, port: int) -> RunningHost:
    return machine(listeners=(Listener(address, port, 1, "app"),))


COPY: dict[str, Any] = {"labels": {"opsctl.local-copy": "prod"}}

BAD = [
    ("live-port-open", listening("0.0.0.0", 8080)),  # noqa: S104 - what is looked for
    ("live-port-open", listening("::", 9100)),
    ("live-port-open", listening("10.0.0.5", 8080)),
    # In the tailnet's range, and on another interface: a provider's own network.
    ("live-port-open", listening("100.64.9.9", 8080)),
    ("live-port-open", listening("192.168.7.7", 8080)),
    ("live-port-open", machine(datagrams=(Listener("::", 161, 1, "snmpd"),))),
    ("live-port-open", running(PublishedPort("", 8080, 80))),
    ("live-port-open", running(PublishedPort("::", 53, 53, "udp"))),
    ("live-database-open", listening("0.0.0.0", 5432)),  # noqa: S104 - what is looked for
    ("live-database-open", running(PublishedPort("0.0.0.0", 15432, 5432))),  # noqa: S104 - same
    ("live-database-open", machine(open_ports=(("203.0.113.9", 5432),))),
    (
        "live-public-client",
        machine(
            listeners=(Listener("0.0.0.0", 22),),  # noqa: S104 - same
            connections=(Connection("10.0.0.5", 22, WORLD, "sshd"),),
        ),
    ),
    ("live-public-client", machine(clients=(DatabaseClient("PostgreSQL", WORLD),))),
    ("live-app-env", running(app_env=None)),
    ("live-app-env", running(app_env="prod")),
    ("live-limits", running(memory_limit_bytes=0)),
    ("live-limits", running(cpu_limit=0.0)),
    ("live-local-copy", running(PublishedPort("100.101.102.103", 5432, 5432), **COPY)),
    ("live-unseen", machine(unread_parts=(("the containers", "no engine"),))),
]
GOOD = [
    listening("127.0.0.1", 5432),
    listening("::1", 6379),
    listening("100.101.102.103", 5432),
    listening("fd7a:115c:a1e0::7", 5432),
    listening("172.17.0.1", 53),
    listening("0.0.0.0", 22),  # noqa: S104 - SSH may
    machine(datagrams=(Listener("10.0.0.5", 68), Listener("127.0.0.1", 323))),
    running(),
    running(PublishedPort("127.0.0.1", 5432, 5432)),
    running(PublishedPort("127.0.0.1", 5432, 5432), **COPY),
    machine(
        clients=(
            DatabaseClient("Redis", "172.18.0.4"),
            DatabaseClient("PostgreSQL", "100.101.102.104"),
        )
    ),
    # We are the ones who called.
    machine(connections=(Connection("10.0.0.5", 40000, WORLD),)),
]


def found(rule: str, seen: RunningHost) -> list[Finding]:
    return list(
        apply_rules([r for r in LIVE_RULES if rule in {"*", r.id}], seen, within=lambda _: True)
    )


@pytest.mark.parametrize(("rule", "seen"), BAD)
def test_what_is_open_to_others_is_found(rule: str, seen: RunningHost) -> None:
    (finding,) = found(rule, seen)

    assert finding.fix
    assert finding.why


@pytest.mark.parametrize("seen", GOOD)
def test_what_only_we_can_reach_is_let_pass(seen: RunningHost) -> None:
    assert found("*", seen) == []


def test_every_rule_has_a_machine_that_breaks_it() -> None:
    assert {rule for rule, _ in BAD} == {rule.id for rule in LIVE_RULES}


def test_a_port_that_docker_hands_on_is_told_once() -> None:
    proxy = (Listener("0.0.0.0", 8080, 1, "docker-proxy"), Listener("::", 8080))  # noqa: S104 - same
    one = RunningContainer(container(PublishedPort("0.0.0.0", 8080, 80)), "production")  # noqa: S104 - same

    findings = found("live-port-open", machine(listeners=proxy, containers=(one,)))

    assert [f.what for f in findings] == ["container web publishes 8080/tcp on every address"]


def test_addresses_of_redis_clients_are_read_from_its_list() -> None:
    said = (
        b"id=3 addr=10.0.0.2:41 laddr=x name=a\nid=4 addr=[::1]:7 name=\nid=5 addr=/run/x.sock:0\n"
    )

    assert parse_client_addresses(said) == ("10.0.0.2", "::1", "/run/x.sock")
