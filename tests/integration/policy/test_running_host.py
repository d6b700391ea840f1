"""`--live` against a real engine and this machine."""

import pytest

from opsctl.systems.docker.containers import DockerContainers
from tests.engines.docker import BUSYBOX, DockerEngine
from tests.scenarios.conftest import Program, opsctl, project

__all__ = ["opsctl", "project"]

SLEEP = ("sleep", "60")


@pytest.fixture
def engine(docker_engine: DockerEngine) -> DockerEngine:
    docker_engine.need_image("docker", BUSYBOX)
    return docker_engine


def test_the_engine_tells_ports_and_limits(engine: DockerEngine) -> None:
    options = ("--publish", "127.0.0.1::6379", "--publish", "127.0.0.1::53/udp", "--cpus", "0.25")
    name = engine.start(BUSYBOX, *SLEEP, options=options)

    found = DockerContainers(engine.host, deadline_s=10).inspect(name)

    assert found
    assert {(one.address, one.target, one.protocol) for one in found.published} == {
        ("127.0.0.1", 6379, "tcp"),
        ("127.0.0.1", 53, "udp"),
    }
    assert all(one.port for one in found.published)
    assert (found.memory_limit_bytes, found.cpu_limit) == (512 * 1024 * 1024, 0.25)


def test_a_container_that_breaks_the_rules_is_found_and_a_sound_one_is_not(
    engine: DockerEngine, project: Program
) -> None:
    bad = engine.start(BUSYBOX, *SLEEP)
    good = engine.start(BUSYBOX, *SLEEP, options=("--cpus", "0.1", "-e", "APP_ENV=production"))
    names = {one: engine.run("inspect", "--format", "{{.Name}}", one)[1:] for one in (bad, good)}

    answer = project(
        "check", "--live", "--json", "--timeout", "20s", environ={"DOCKER_HOST": engine.host}
    )

    found = [f for f in answer.json["findings"] if f["check"].startswith("live-")]
    said = {f["what"] for f in found}
    assert f"container {names[bad]} has no APP_ENV" in said
    assert f"container {names[bad]} has no limit on cpus" in said
    assert not [what for what in said if names[good] in what]


def test_an_engine_that_is_unreachable_is_unknown_and_not_healthy(project: Program) -> None:
    environ = {"DOCKER_HOST": "unix:///nowhere.sock"}

    answer = project("check", "--live", "--json", "--rule", "live-unseen", environ=environ)

    (finding,) = answer.json["findings"]
    assert (answer.code, finding["level"]) == (3, "unknown")
    assert "there is no container engine" in finding["what"]
