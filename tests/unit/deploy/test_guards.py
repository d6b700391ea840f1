from pathlib import Path
from typing import Any

import pytest

from opsctl.deploy import guards
from opsctl.deploy.model import Seen, Wish
from opsctl.errors import RefusedError
from opsctl.settings.sections.deploy import Deploy
from opsctl.systems.engine.inventory import PortPublisher
from opsctl.systems.host import Listener, Usage
from tests.unit.deploy.worlds import case, git, running, seen, target, told

WEB: dict[str, Any] = {"image": "web:1"}
DATA = [{"type": "volume", "source": "data", "target": "/d"}]
DATABASE: dict[str, Any] = {"image": "postgres:17.4", "volumes": DATA}
EVERYWHERE = "0.0.0.0"  # noqa: S104 - what is to be refused
MIB = 1024 * 1024


def _port(target: int, host_ip: str = "", published: str = "") -> dict[str, Any]:
    return {"target": target, "published": published or str(target), "host_ip": host_ip}


def _found(guard: guards.Guard, world: Seen, wish: Wish | None = None, **rules: Any) -> list[Any]:
    return told(tuple(guard(case(world, wish, Deploy(**rules)))))


@pytest.mark.parametrize(
    ("env", "reason", "found"),
    [
        ("prod", "the branch exp/x is checked out", [("experiment", False)]),
        ("prod", None, []),
        ("dev", "the branch exp/x is checked out", []),
    ],
)
def test_experiments(env: str, reason: str | None, found: list[Any]) -> None:
    assert _found(guards.experiment, seen({"web": WEB}, env=env, experiment=reason)) == found


@pytest.mark.parametrize(
    ("facts", "wish", "found"),
    [
        (git(), Wish(), []),
        (git(dirty=("a",)), Wish(), [("uncommitted changes", False)]),
        (git(untracked=("a",)), Wish(), [("uncommitted changes", False)]),
        (git(dirty=("a",)), Wish(allow_dirty=True), [("uncommitted changes", True)]),
        (git(containing=()), Wish(), [("unpublished commit", True)]),
        (None, Wish(), [("commit", True)]),
        (git(dirty=("a",)), Wish(kind="rollback"), []),
    ],
)
def test_checkouts_of_production(facts: Any, wish: Wish, found: list[Any]) -> None:
    assert _found(guards.checkout, seen({"web": WEB}, env="prod", git=facts), wish) == found
    assert _found(guards.checkout, seen({"web": WEB}, env="dev", git=facts), wish) == []


@pytest.mark.parametrize(
    ("image", "port", "is_refused"),
    [
        ("web:1", _port(5432), True),
        ("web:1", _port(5432, EVERYWHERE), True),
        ("web:1", _port(5432, "::"), True),
        ("web:1", _port(6379, "192.168.1.2"), True),
        ("web:1", _port(5432, "100.64.0.9"), True),
        ("web:1", _port(5432, "100.64.0.1"), False),
        ("web:1", _port(5432, "127.0.0.1"), False),
        ("web:1", _port(5432, "::1"), False),
        ("ghcr.io/me/timescaledb:2", _port(15432), True),
        ("web:1", _port(8080), False),
    ],
)
def test_database_ports_of_production(image: str, port: dict[str, Any], is_refused: bool) -> None:  # noqa: FBT001 - a case
    services = {"db": {"image": image, "ports": [port]}}
    own = frozenset({"100.64.0.1"})

    found = _found(guards.database_ports, seen(services, env="prod", tailnet=own))

    assert found == ([("public database port", False)] if is_refused else [])
    assert _found(guards.database_ports, seen(services, env="dev")) == []


def _bind(source: str) -> dict[str, Any]:
    return {"volumes": [{"type": "bind", "source": source, "target": "/x"}]}


@pytest.mark.parametrize(
    ("service", "guard"),
    [
        (_bind("/var/run/docker.sock"), "engine socket"),
        (_bind("/run/docker.sock"), "engine socket"),
        (_bind("/run/user/1000/docker.sock"), "engine socket"),
        (_bind("/run/podman/podman.sock"), "engine socket"),
        (_bind("/var/run"), "engine socket"),
        (_bind("/"), "engine socket"),
        ({"privileged": True}, "privileged service"),
        ({"network_mode": "host"}, "privileged service"),
        ({"pid": "host"}, "privileged service"),
        ({"ipc": "host"}, "privileged service"),
        ({"cap_add": ["all"]}, "privileged service"),
        (_bind("/srv/data"), ""),
        ({"cap_add": ["NET_ADMIN"]}, ""),
    ],
)
def test_power_over_the_host(service: dict[str, Any], guard: str) -> None:
    world = seen({"web": {**WEB, **service}})
    allowed: dict[str, Any] = {"allow_docker_socket": ("web",), "allow_privileged": ("web",)}

    assert _found(guards.powers, world) == ([(guard, False)] if guard else [])
    assert _found(guards.powers, world, **allowed) == []


def _publisher(project: str, address: str = EVERYWHERE) -> PortPublisher:
    return PortPublisher("c1", project, address, 8080)


@pytest.mark.parametrize(
    ("more", "is_taken"),
    [
        ({"publishers": (_publisher("other"),)}, True),
        ({"publishers": (_publisher("other", "127.0.0.2"),)}, False),
        ({"publishers": (_publisher("shop-dev"),)}, False),
        (
            {"publishers": (_publisher("shop-dev"),), "listeners": (Listener(EVERYWHERE, 8080),)},
            False,
        ),
        ({"listeners": (Listener("127.0.0.1", 8080, 7, "nginx"),)}, True),
        ({"listeners": (Listener("127.0.0.1", 8081),)}, False),
        ({}, False),
    ],
)
def test_ports_that_are_taken(more: dict[str, Any], is_taken: bool) -> None:  # noqa: FBT001 - a case
    world = seen({"web": {**WEB, "ports": [_port(8080, "127.0.0.1")]}}, **more)

    assert bool(_found(guards.ports_taken, world)) is is_taken


def _disk(free_mib: int, percent: float) -> Usage:
    return Usage(Path("/var"), 10_000 * MIB, 0, free_mib * MIB, percent)


@pytest.mark.parametrize(
    ("usage", "found"),
    [
        (_disk(5_000, 50), []),
        (_disk(900, 50), [("disk space", False)]),
        (_disk(5_000, 80), [("disk space", True)]),
        (None, []),
    ],
)
def test_disk_space_for_what_will_be_fetched(usage: Usage | None, found: list[Any]) -> None:
    assert _found(guards.disk, seen({"web": WEB}, disk=usage)) == found


def test_a_full_disk_stops_nothing_when_nothing_is_fetched() -> None:
    world = seen({"web": WEB}, running("web"), disk=_disk(1, 99))

    assert _found(guards.disk, world) == [("disk space", True)]


@pytest.mark.parametrize(
    ("service", "wish", "found"),
    [
        (DATABASE, Wish(), []),
        ({**DATABASE, "image": "postgres:18"}, Wish(), [("stateful service", False)]),
        (
            {**DATABASE, "image": "postgres:18"},
            Wish(allow_stateful=True),
            [("stateful service", True)],
        ),
        ({**DATABASE, "volumes": []}, Wish(), []),
    ],
)
def test_databases_that_would_be_recreated(
    service: dict[str, Any], wish: Wish, found: list[Any]
) -> None:
    run = running("db", image="postgres:17.4", image_id="sha256:17")
    ids = {"postgres:17.4": "sha256:17", "postgres:18": "sha256:18"}

    assert _found(guards.stateful, seen({"db": service}, run, image_ids=ids), wish) == found


@pytest.mark.parametrize(
    ("image", "version"),
    [
        ("postgres:17.4", "17"),
        ("timescale/timescaledb:2.19.3-pg17", "17"),
        ("redis:8.0.2", "8"),
        ("host:5000/redis:v8", "8"),
        ("redis", ""),
        ("redis:latest", ""),
        ("redis:8@sha256:abc", "8"),
    ],
)
def test_major_versions_are_read_from_tags(image: str, version: str) -> None:
    assert guards.major(image) == version


def test_a_path_of_this_machine_on_another_one() -> None:
    services = {"web": {**WEB, **_bind("/srv/shop/etc")}}
    far = target(is_remote=True)

    assert _found(guards.relative_mounts, seen(services)) == []
    assert _found(guards.relative_mounts, seen(services, target=far)) == [
        ("bind mount on a remote engine", False)
    ]


def test_all_refusals_are_told_at_once_with_what_to_do() -> None:
    services = {"web": {**WEB, "privileged": True, **_bind("/var/run/docker.sock")}}

    with pytest.raises(RefusedError) as refused:
        guards.refuse(guards.objections(case(seen(services))), verb="up")

    assert "engine's socket" in refused.value.why
    assert "privileged" in refused.value.why
    assert "deploy.allow_privileged" in refused.value.hint
