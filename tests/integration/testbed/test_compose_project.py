import pytest

from tests.engines.compose import TempComposeProject
from tests.engines.docker import BUSYBOX

_STACK = f"""
services:
  idle:
    image: {BUSYBOX}
    command: sleep 300
    volumes: [kept:/kept]
volumes:
  kept:
"""


@pytest.mark.parametrize("turn", [1, 2])
def test_each_test_has_a_project_of_its_own(compose_project: TempComposeProject, turn: int) -> None:
    compose_project.write(_STACK)

    up = compose_project.compose("up", "--detach")

    assert up.returncode == 0, up.stderr
    assert compose_project.containers() == [f"{compose_project.name}-idle-1"]
    assert turn


def test_removing_takes_volumes_and_networks_of_every_environment(
    compose_project: TempComposeProject,
) -> None:
    name, engine = compose_project.name, compose_project.engine
    compose_project.write(_STACK)
    for project in (name, f"{name}-prod"):
        assert compose_project.compose("up", "--detach", project=project).returncode == 0

    engine.remove(lambda other: other.startswith(name))

    assert compose_project.containers() == []
    assert name not in engine.run("volume", "ls")
    assert name not in engine.run("network", "ls")
