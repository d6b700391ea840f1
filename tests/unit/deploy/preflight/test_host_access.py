from dataclasses import replace
from typing import Any

import pytest

from opsctl.deploy.preflight.host_access import check_host_access
from opsctl.systems.engine.compose_resources import read_resources
from tests.unit.deploy.observations import make_observation, make_target, run_check


def _bind(source: str, *, read_only: bool = False) -> dict[str, Any]:
    mount = {"type": "bind", "source": source, "target": "/x", "read_only": read_only}
    return {"volumes": [mount]}


@pytest.mark.parametrize(
    ("service", "check"),
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
        (_bind("/srv/../run"), "engine socket"),
        (_bind("/var/run/user/1000/docker.sock"), "engine socket"),
        ({"cap_add": ["all"]}, "privileged service"),
        ({"cap_add": ["CAP_SYS_ADMIN"]}, "privileged service"),
        ({"cap_add": ["SYS_MODULE"]}, "privileged service"),
        ({"userns_mode": "host"}, "privileged service"),
        ({"network_mode": "container:other"}, "privileged service"),
        ({"pid": "container:other"}, "privileged service"),
        ({"devices": ["/dev/vda:/dev/vda"]}, "privileged service"),
        ({"devices": [{"source": "/dev/nvme0n1", "target": "/x"}]}, "privileged service"),
        ({"device_cgroup_rules": ["b 8:* rwm"]}, "privileged service"),
        (_bind("/etc"), "privileged service"),
        (_bind("/etc", read_only=True), "privileged service"),
        (_bind("/dev"), "privileged service"),
        (_bind("/proc"), "privileged service"),
        (_bind("/var/lib/docker"), "privileged service"),
        (_bind("/proc", read_only=True), ""),
        (_bind("/sys", read_only=True), ""),
        (_bind("/etc/localtime"), ""),
        (_bind("/etc/letsencrypt"), ""),
        (_bind("/lib/modules", read_only=True), ""),
        (_bind("/var/lib/docker/containers", read_only=True), ""),
        ({"network_mode": "service:vpn"}, ""),
        ({"devices": ["/dev/dri:/dev/dri", "/dev/net/tun", "/dev/fuse"]}, ""),
        ({"device_cgroup_rules": ["c 189:* rmw"]}, ""),
        (_bind("/srv/data"), ""),
        ({"cap_add": ["NET_ADMIN", "SYS_PTRACE", "SYS_TIME"]}, ""),
    ],
)
def test_control_of_the_host_must_be_allowed(service: dict[str, Any], check: str) -> None:
    observation = make_observation({"web": {"image": "web:1", **service}})
    allowed: dict[str, Any] = {"allow_docker_socket": ("web",), "allow_privileged": ("web",)}

    assert run_check(check_host_access, observation) == ([(check, False)] if check else [])
    assert run_check(check_host_access, observation, **allowed) == []


@pytest.mark.parametrize(
    ("options", "check"),
    [
        ({"type": "none", "o": "bind", "device": "/var/run"}, "engine socket"),
        ({"type": "none", "o": "rw,rbind", "device": "/"}, "engine socket"),
        ({"type": "none", "o": "bind", "device": "/etc"}, "privileged service"),
        ({"type": "none", "o": "bind", "device": "/srv/data"}, ""),
        ({"type": "nfs", "o": "addr=10.0.0.1,rw", "device": ":/run"}, ""),
        ({}, ""),
    ],
)
def test_a_volume_that_is_a_folder_of_the_host_counts_as_one(
    options: dict[str, str], check: str
) -> None:
    mount = {"type": "volume", "source": "data", "target": "/x"}
    observation = make_observation({"web": {"image": "web:1", "volumes": [mount]}})
    rendered = observation.generated.rendered
    declared = read_resources({"data": {"name": "shop_data", "driver_opts": options}})
    rendered = replace(rendered, declared_volumes=declared)
    observation = replace(observation, generated=replace(observation.generated, rendered=rendered))

    assert run_check(check_host_access, observation) == ([(check, False)] if check else [])


def test_a_folder_that_holds_the_socket_of_this_engine_counts_as_the_socket() -> None:
    target = make_target(engine_name="unix:///srv/engine/sock")
    observation = make_observation({"web": {"image": "web:1", **_bind("/srv")}}, target=target)

    assert run_check(check_host_access, observation) == [("engine socket", False)]
