from typing import Any

import pytest

from opsctl.deploy.preflight.host_access import check_host_access
from tests.unit.deploy.observations import make_observation, run_check


def _bind(source: str) -> dict[str, Any]:
    return {"volumes": [{"type": "bind", "source": source, "target": "/x"}]}


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
        ({"cap_add": ["all"]}, "privileged service"),
        (_bind("/srv/data"), ""),
        ({"cap_add": ["NET_ADMIN"]}, ""),
    ],
)
def test_control_of_the_host_must_be_allowed(service: dict[str, Any], check: str) -> None:
    observation = make_observation({"web": {"image": "web:1", **service}})
    allowed: dict[str, Any] = {"allow_docker_socket": ("web",), "allow_privileged": ("web",)}

    assert run_check(check_host_access, observation) == ([(check, False)] if check else [])
    assert run_check(check_host_access, observation, **allowed) == []
