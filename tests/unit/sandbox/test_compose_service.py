"""The project's test service, read as a wish."""

from dataclasses import replace
from pathlib import Path

import pytest

from opsctl.errors import RefusedError, UsageError
from opsctl.sandbox.compose_service import (
    find_service,
    list_escapes,
    lower_limits,
    request_from_service,
)
from opsctl.sandbox.model import MEBI, BindMount, CappedLimits
from opsctl.settings.sections.sandbox import Sandbox
from opsctl.systems.engine.compose_model import Caps, RenderedProject, Service, Volume
from opsctl.systems.files.local import LocalFiles

USUAL = CappedLimits(0.5, 512 * MEBI, 256, 256 * MEBI)
SERVICE = Service("test", image="app:1")


def test_a_service_is_taken_as_it_is(tmp_path: Path) -> None:
    service = replace(
        SERVICE,
        command=("pytest",),
        entrypoint=("run",),
        environment={"A": "1", "TOKEN": None},
        volumes=(
            Volume("bind", "/code", str(tmp_path), is_read_only=True),
            Volume("tmpfs", "/cache"),
        ),
        working_dir="/code",
        user="1000",
    )

    wish = request_from_service(
        service, Sandbox(), LocalFiles(), project="p-dev", environ={"TOKEN": "t"}
    )

    assert (wish.images, wish.command, wish.entrypoint) == (("app:1",), ("pytest",), ("run",))
    assert wish.environment == {"A": "1", "TOKEN": "t"}
    assert wish.binds == (BindMount(tmp_path, "/code"),)
    assert (wish.writable, wish.workdir, wish.user) == (("/cache",), "/code", "1000")
    assert wish.limits == USUAL


def test_a_service_that_is_only_built_has_the_name_that_compose_gives_it() -> None:
    service = Service("test")

    wish = request_from_service(service, Sandbox(), LocalFiles(), project="p-dev", environ={})

    assert wish.images == ("p-dev-test",)


ESCAPES = [
    (replace(SERVICE, is_privileged=True), "privileged"),
    (replace(SERVICE, cap_add=("SYS_ADMIN",)), "cap_add: SYS_ADMIN"),
    (replace(SERVICE, devices=("/dev/sda",)), "devices: /dev/sda"),
    (replace(SERVICE, network_mode="host"), "network_mode: host"),
    (replace(SERVICE, network_mode="service:redis"), "network_mode: service:redis"),
    (replace(SERVICE, pid="host"), "pid: host"),
    (replace(SERVICE, ipc="host"), "ipc: host"),
    (replace(SERVICE, security_opt=("seccomp=unconfined",)), "seccomp=unconfined"),
    (replace(SERVICE, security_opt=("no-new-privileges:false",)), "no-new-privileges:false"),
    (replace(SERVICE, volumes=(Volume("volume", "/data", "prod-data"),)), "prod-data"),
]


@pytest.mark.parametrize(("service", "said"), ESCAPES)
def test_what_leads_out_of_the_caps_is_refused(service: Service, said: str) -> None:
    with pytest.raises(RefusedError) as caught:
        request_from_service(service, Sandbox(), LocalFiles(), project="p", environ={})

    assert said in caught.value.why


def test_what_only_tightens_is_no_escape() -> None:
    tight = replace(SERVICE, security_opt=("no-new-privileges:true",), network_mode="none")

    assert list(list_escapes(tight)) == []


@pytest.mark.parametrize(
    ("caps", "limits"),
    [
        (Caps(), USUAL),
        (
            Caps(memory_bytes=64 * MEBI, cpus=0.1, pids=8),
            CappedLimits(0.1, 64 * MEBI, 8, 64 * MEBI),
        ),
        (Caps(pids=-1), USUAL),
    ],
)
def test_the_lower_cap_counts(caps: Caps, limits: CappedLimits) -> None:
    assert lower_limits(USUAL, caps) == limits


def test_settings_below_the_service_count_as_well() -> None:
    low = CappedLimits(0.1, 64 * MEBI, 8, MEBI)

    assert lower_limits(low, Caps(memory_bytes=128 * MEBI, cpus=0.5, pids=100)) == low


@pytest.mark.parametrize("caps", [Caps(memory_bytes=2**30), Caps(cpus=2.0), Caps(pids=1000)])
def test_a_service_above_the_ceiling_is_refused(caps: Caps) -> None:
    with pytest.raises(RefusedError):
        lower_limits(USUAL, caps)


def test_a_service_that_is_not_there_is_reported_with_those_that_are() -> None:
    rendered = RenderedProject("p", {"test": SERVICE, "app": SERVICE})

    assert find_service(rendered, "test") is SERVICE
    with pytest.raises(UsageError) as caught:
        find_service(rendered, "tset")
    assert "app, test" in caught.value.why
