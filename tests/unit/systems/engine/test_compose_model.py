import json
from typing import Any

import pytest

from opsctl.errors import OpsctlError
from opsctl.systems.engine.compose_model import Build, Caps, Port, Service, Volume, read_rendered


def service(**raw: Any) -> Service:
    document = {"name": "x", "services": {"web": raw}}
    return read_rendered(json.dumps(document)).services["web"]


@pytest.mark.parametrize("environment", [{"A": "b", "N": 1, "LEFT": None}, ["A=b", "N=1", "LEFT"]])
def test_the_environment_has_one_form(environment: object) -> None:
    assert service(environment=environment).environment == {"A": "b", "N": "1", "LEFT": None}


def test_a_doubled_dollar_is_one() -> None:
    found = service(environment={"A": "b$$c"}, labels=["l=$$x"], command=["echo", "$$$$"])

    assert found.environment == {"A": "b$c"}
    assert found.labels == {"l": "$x"}
    assert found.command == ("echo", "$$")


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ({"target": 80, "published": "8080", "host_ip": "::1"}, [Port(80, 8080, "::1")]),
        ({"target": 80}, [Port(80)]),
        ({"target": 80, "published": 81, "protocol": "udp"}, [Port(80, 81, "", "udp")]),
        ({"target": 80, "published": "81-82"}, [Port(80, 81), Port(80, 82)]),
    ],
)
def test_ports_are_numbers(raw: dict[str, Any], expected: list[Port]) -> None:
    assert list(service(ports=[raw]).ports) == expected


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (
            {"mem_limit": "64", "memswap_limit": "64", "cpus": 0.5, "pids_limit": 9},
            Caps(64, 64, 0.5, 9),
        ),
        (
            {"deploy": {"resources": {"limits": {"memory": "32", "cpus": "0.25", "pids": 7}}}},
            Caps(memory_bytes=32, cpus=0.25, pids=7),
        ),
        ({"deploy": {"resources": {}, "placement": {}}}, Caps()),
    ],
)
def test_caps_are_numbers_wherever_they_stand(raw: dict[str, Any], expected: Caps) -> None:
    assert service(**raw).caps == expected


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ({"test": ["CMD", "true"]}, True),
        ({"test": ["NONE"]}, False),
        ({"disable": True}, False),
        ({}, False),
        (None, False),
    ],
)
def test_a_health_check_that_is_off_is_none(raw: dict[str, Any] | None, *, expected: bool) -> None:
    assert service(healthcheck=raw).has_healthcheck is expected


@pytest.mark.parametrize(
    ("raw", "expected"), [({"replicas": 0}, 0), ({"replicas": 3}, 3), ({}, 1), (None, 1)]
)
def test_replicas_are_one_unless_said(raw: dict[str, Any] | None, expected: int) -> None:
    assert service(deploy=raw).replicas == expected


def test_what_opens_the_host_is_seen() -> None:
    found = service(
        privileged=True,
        network_mode="host",
        pid="host",
        ipc="host",
        cap_add=["SYS_ADMIN"],
        security_opt=["seccomp:unconfined"],
        devices=[{"source": "/dev/sda", "target": "/dev/sda"}, "/dev/fuse:/dev/fuse"],
        volumes=[{"type": "bind", "source": "/run/docker.sock", "target": "/s"}],
    )

    assert found.is_privileged
    assert (found.network_mode, found.pid, found.ipc) == ("host", "host", "host")
    assert (found.cap_add, found.security_opt) == (("SYS_ADMIN",), ("seccomp:unconfined",))
    assert found.devices == ("/dev/sda", "/dev/fuse:/dev/fuse")
    assert found.volumes == (Volume("bind", "/s", "/run/docker.sock"),)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (".", Build(".")),
        ({"context": "/x", "dockerfile": "D", "target": "t"}, Build("/x", "D", "t")),
        (None, None),
    ],
)
def test_a_build_has_one_form(raw: object, expected: Build | None) -> None:
    assert service(build=raw).build == expected


@pytest.mark.parametrize("raw", [{"a": {"condition": "service_started"}}, ["a"], {"a": None}])
def test_dependencies_have_one_form(raw: object) -> None:
    assert service(depends_on=raw).depends_on == {"a": "service_started"}


def test_secrets_are_named_and_not_shown() -> None:
    text = json.dumps(
        {"name": "x", "services": {"a": {"environment": {"DB_PASSWORD": "canary", "TZ": "UTC"}}}}
    )

    rendered = read_rendered(text)

    assert rendered.secrets == ("canary",)
    assert "canary" not in repr(rendered)


@pytest.mark.parametrize("text", ["canary", "[]", '{"services": {"a": "canary"}, "name": "x"}'])
def test_what_cannot_be_read_is_not_quoted(text: str) -> None:
    with pytest.raises(OpsctlError) as caught:
        read_rendered(text)

    assert "canary" not in str(vars(caught.value))
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
