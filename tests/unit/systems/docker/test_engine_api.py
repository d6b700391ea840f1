"""What each call of compose would change."""

import json

import pytest

from opsctl.systems.docker.engine_api import (
    RequestedChange,
    inspect_path,
    needs_body,
    read_change,
    read_description,
)
from opsctl.systems.engine.guarded_engine import CallTarget

CONTAINER, NETWORK = CallTarget.CONTAINER, CallTarget.NETWORK
VOLUME, IMAGE, ENGINE = CallTarget.VOLUME, CallTarget.IMAGE, CallTarget.ENGINE


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("HEAD", "/_ping"),
        ("GET", "/v1.41/containers/json?all=1"),
        ("GET", "/v1.56/events?filters=%7B%7D"),
        ("GET", "/v1.41/containers/abc/logs?follow=1"),
        ("POST", "/v1.41/containers/abc/wait?condition=next-exit"),
        ("POST", "/v1.41/containers/abc/attach?stream=1"),
        ("POST", "/v1.41/exec/abc/start"),
        ("POST", "/auth"),
    ],
)
def test_a_call_that_only_reads_changes_nothing(method: str, path: str) -> None:
    assert read_change(method, path) is None


@pytest.mark.parametrize(
    ("call", "target", "action", "reference"),
    [
        ("POST /v1.41/containers/abc/start", CONTAINER, "start", "abc"),
        ("POST /v1.56/containers/abc/stop?t=1", CONTAINER, "stop", "abc"),
        ("POST /containers/abc/restart", CONTAINER, "restart", "abc"),
        ("POST /v1.41/containers/abc/kill?signal=KILL", CONTAINER, "kill", "abc"),
        ("POST /v1.41/containers/abc/pause", CONTAINER, "pause", "abc"),
        ("POST /v1.41/containers/abc/update", CONTAINER, "update", "abc"),
        ("POST /v1.41/containers/abc/rename?name=shop-web-1", CONTAINER, "rename", "abc"),
        ("POST /v1.41/containers/abc/exec", CONTAINER, "run a command in", "abc"),
        ("PUT /v1.41/containers/abc/archive?path=%2F", CONTAINER, "copy files into", "abc"),
        ("DELETE /v1.41/containers/abc?force=1", CONTAINER, "remove", "abc"),
        ("DELETE /v1.41/networks/shop_default", NETWORK, "remove", "shop_default"),
        ("DELETE /v1.41/volumes/shop_data", VOLUME, "remove", "shop_data"),
        ("DELETE /v1.41/images/host:5000/app:1", IMAGE, "remove", "host:5000/app:1"),
        ("POST /v1.41/images/create?fromImage=busybox&tag=1.37", IMAGE, "pull", "busybox:1.37"),
        ("POST /v1.41/containers/prune", ENGINE, "POST containers/prune", ""),
        ("POST /v1.41/volumes/prune?all=1", ENGINE, "POST volumes/prune", ""),
        ("POST /v1.41/images/app/tag?repo=b", ENGINE, "POST images/app/tag", ""),
        ("POST /v1.41/build?t=app", ENGINE, "POST build", ""),
        ("POST /session", ENGINE, "POST session", ""),
        ("PATCH /v1.41/containers/abc", ENGINE, "PATCH containers/abc", ""),
        ("POST /v1.41/swarm/leave", ENGINE, "POST swarm/leave", ""),
    ],
)
def test_a_changing_call_is_recognised(
    call: str, target: CallTarget, action: str, reference: str
) -> None:
    method, _, path = call.partition(" ")

    assert read_change(method, path) == RequestedChange(target, action, reference)


def test_what_is_created_is_described_by_the_call_itself() -> None:
    labels = {"com.docker.compose.service": "web"}
    body = json.dumps({"Name": "from the body", "Labels": labels}).encode()

    container = read_change("POST", "/v1.41/containers/create?name=0123456789ab_web-1", body)
    network = read_change("POST", "/v1.41/networks/create", body)
    volume = read_change("POST", "/v1.41/volumes/create", b'{"Name": "data"}')

    assert container == RequestedChange(CONTAINER, "create", "0123456789ab_web-1", labels)
    assert network == RequestedChange(NETWORK, "create", "from the body", labels)
    assert volume == RequestedChange(VOLUME, "create", "data", {})


@pytest.mark.parametrize("action", ["connect", "disconnect"])
def test_a_network_is_connected_to_a_container(action: str) -> None:
    change = read_change("POST", f"/v1.41/networks/n/{action}", b'{"Container": "abc"}')

    assert change == RequestedChange(CONTAINER, action, "abc")


@pytest.mark.parametrize("body", [b"", b"[]", b"not json", b'{"Name": null, "Labels": null}'])
def test_a_body_that_says_nothing_creates_something_without_a_name(body: bytes) -> None:
    assert read_change("POST", "/networks/create", body) == RequestedChange(
        NETWORK, "create", "", {}
    )


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("POST", "/v1.41/containers/create?name=a", True),
        ("POST", "/v1.41/networks/n/connect", True),
        ("POST", "/networks/create", True),
        ("POST", "/v1.41/images/create?fromImage=a", False),
        ("PUT", "/v1.41/containers/abc/archive", False),
        ("GET", "/v1.41/networks/create", False),
    ],
)
def test_the_body_is_read_only_where_it_says_what_changes(
    method: str, path: str, *, expected: bool
) -> None:
    assert needs_body(method, path) is expected


@pytest.mark.parametrize(
    ("path", "target", "expected"),
    [
        ("/v1.41/containers/abc/start", CONTAINER, "/v1.41/containers/abc/json"),
        ("/networks/abc", NETWORK, "/networks/abc"),
        ("/v1.56/volumes/abc", VOLUME, "/v1.56/volumes/abc"),
    ],
)
def test_the_engine_is_asked_in_the_version_of_the_call(
    path: str, target: CallTarget, expected: str
) -> None:
    assert inspect_path(RequestedChange(target, "start", "abc"), path) == expected


def test_a_reference_cannot_become_another_address() -> None:
    change = RequestedChange(CONTAINER, "start", "../../images/x")

    assert inspect_path(change, "/v1.41/x") == "/v1.41/containers/..%2F..%2Fimages%2Fx/json"


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ({"Name": "/web-1", "Config": {"Labels": {"a": "b"}}}, ("web-1", {"a": "b"})),
        ({"Name": "net", "Labels": None}, ("net", {})),
        ({"Name": "data", "Labels": {"a": "b"}}, ("data", {"a": "b"})),
    ],
)
def test_name_and_labels_are_read_from_each_kind(
    raw: object, expected: tuple[str, dict[str, str]]
) -> None:
    assert read_description(json.dumps(raw).encode()) == expected
