from typing import Any

import pytest

from tests.engines.docker import BUSYBOX, DockerEngine
from tests.engines.own_engine import OwnEngine
from tests.scenarios.deploy.conftest import make_project
from tests.scenarios.deploy.deployed_project import STORE, WEB, DeployedProject
from tests.waiting import wait_for

CRASHING = {**WEB, "restart": "always", "command": ["sh", "-c", "echo out of ideas; exit 7"]}
UNHEALTHY = {
    **WEB,
    "healthcheck": {"test": ["CMD", "false"], "interval": "300ms", "retries": 2},
}
SLOW = {
    **WEB,
    "healthcheck": {"test": ["CMD", "false"], "interval": "1s", "start_period": "600s"},
}


def _fails(project: DeployedProject, exit_code: int = 1, *words: str) -> str:
    """Deploy, and check that it fails, the old version runs, and the data is there."""
    _watch_longer(project)
    before = project.container_ids()[project.container_name("store")]
    done = project.run_up(*words, exit_code=exit_code)
    assert project.served_version() == "1"
    assert project.data == "do not lose this"
    assert project.container_ids()[project.container_name("store")] == before
    assert project.opsctl("status", "--no-stats", "--json").json["unfinished"] == ""
    return done.err


def _watch_longer(project: DeployedProject) -> None:
    """What ends at once ends within the stable window also where ending takes its time."""
    project.variables["OPSCTL_DEPLOY_STABLE_S"] = "3"


@pytest.mark.parametrize(
    ("service", "said"),
    [
        (CRASHING, ["crash loop", "exit code 7", "out of ideas"]),
        (UNHEALTHY, ["unhealthy"]),
        ({**WEB, "command": ["sh", "-c", "exit 4"]}, ["exit code 4"]),
        ({**WEB, "command": ["no-such-program"]}, ["no-such-program"]),
    ],
)
def test_an_unhealthy_service_is_rolled_back(
    project: DeployedProject, service: dict[str, Any], said: list[str]
) -> None:
    project.deploy_version("1")
    project.write_compose_file({"web": service, "store": STORE})
    project.commit_version("2")

    complaint = _fails(project)

    assert all(words in complaint for words in said), complaint
    assert "restored the previous release" in complaint
    assert project.outcomes() == ["restored", "done"]


def test_a_service_that_takes_too_long_is_rolled_back(project: DeployedProject) -> None:
    project.deploy_version("1")
    project.write_compose_file({"web": SLOW, "store": STORE})
    project.commit_version("2")

    complaint = _fails(project, 1, "--wait-timeout", "2s")

    assert "not healthy within 2 s" in complaint


def test_a_build_that_fails_changes_nothing_that_runs(project: DeployedProject) -> None:
    project.deploy_version("1")
    web = project.container_ids()[project.container_name("web")]
    project.commit_version("2", dockerfile=f"FROM {BUSYBOX}\nRUN echo so sad && exit 9\n")

    complaint = _fails(project)

    assert "cannot build" in complaint
    assert "so sad" in complaint
    assert project.container_ids()[project.container_name("web")] == web
    assert project.outcomes() == ["failed", "done"]


def test_a_pull_that_fails_changes_nothing_that_runs(project: DeployedProject) -> None:
    project.deploy_version("1")
    web = project.container_ids()[project.container_name("web")]
    pulled = {**STORE, "image": "127.0.0.1:9/none:1"}
    project.write_compose_file({"web": pulled, "store": STORE})
    project.commit("Two")

    complaint = _fails(project)

    assert "cannot pull" in complaint
    assert project.container_ids()[project.container_name("web")] == web


def test_after_a_failed_second_build_the_first_image_has_its_old_tag(
    project: DeployedProject,
) -> None:
    project.deploy_version("1")
    image = project.engine.run("inspect", "--format", "{{.Image}}", project.container_name("web"))
    bad = {**WEB, "build": {"context": ".", "dockerfile_inline": "FROM scratch\nCOPY none /"}}
    project.write_compose_file({"web": WEB, "zoo": bad, "store": STORE})
    project.commit_version("2")

    _fails(project)

    name = f"{project.compose_project}-web"
    assert project.engine.run("image", "inspect", "--format", "{{.Id}}", name) == image


def test_a_first_deploy_that_fails_leaves_nothing_running_and_the_volume(
    project: DeployedProject,
) -> None:
    project.write_compose_file({"web": CRASHING, "store": STORE})
    project.commit_version("1")
    _watch_longer(project)

    done = project.run_up(exit_code=1)

    assert "removed what was started" in done.err
    assert project.container_names() == []
    assert f"{project.compose_project}_precious" in project.engine.run("volume", "ls")


def test_a_stack_that_plain_compose_started_is_restored_too(project: DeployedProject) -> None:
    project.write_compose_file({"web": WEB, "store": STORE})
    project.commit_version("1")
    file = f"{project.directory}/docker-compose.dev.yml"
    project.engine.run(
        "compose", "-p", project.compose_project, "-f", file, "up", "--detach", "--build"
    )
    project.data = "do not lose this"
    project.commit_version("bad")
    _watch_longer(project)

    plan = project.opsctl("up", "-n")
    project.run_up(exit_code=1)

    assert "was not started by opsctl" in plan.out
    assert project.served_version() == "1"
    assert project.data == "do not lose this"


def test_a_leftover_of_an_interrupted_replacement_is_removed(project: DeployedProject) -> None:
    project.deploy_version("1")
    leftover = f"0123456789ab_{project.container_name('web')}"
    labels = {"project": project.compose_project, "service": "web", "oneoff": "False"}
    options = [f"--label=com.docker.compose.{key}={value}" for key, value in labels.items()]
    project.engine.run("create", "--name", leftover, *options, BUSYBOX)
    project.commit_version("2")

    status = project.opsctl("status", "--no-stats")
    project.run_up()

    assert leftover in status.out
    assert leftover not in project.container_names()
    assert project.served_version() == "2"


def test_a_disk_that_fills_up_during_a_build_leaves_the_old_version(
    cramped_engine: OwnEngine, tmp_path: Any
) -> None:
    project = make_project(cramped_engine, tmp_path)
    project.deploy_version("1")
    fill = f"FROM {BUSYBOX}\nRUN dd if=/dev/zero of=/fat bs=1M count=200\n"
    project.commit_version("2", dockerfile=fill)

    complaint = _fails(project, 1, "--quiet")

    assert "no space left" in complaint.casefold(), complaint
    project.commit_version("3")
    project.run_up()
    assert project.served_version() == "3"


def test_an_engine_that_stops_during_a_deploy_is_reported_and_a_rollback_recovers(
    brittle_engine: OwnEngine, docker_engine: DockerEngine, tmp_path: Any
) -> None:
    del docker_engine  # its images were copied
    project = make_project(brittle_engine, tmp_path)
    project.deploy_version("1")
    project.write_compose_file({"web": SLOW, "store": STORE})
    project.commit_version("2")

    with project.start_opsctl("up") as running:
        said = running.stderr
        assert said is not None
        wait_for(lambda: "waiting for web" in said.readline(), 80, "the wait for web")
        brittle_engine.stop_dead()
        complaint = said.read()

    assert running.returncode == 8, complaint
    assert "opsctl rollback -e dev" in complaint
    brittle_engine.start_up()
    status = project.opsctl("status", "--no-stats")
    assert status.exit_code == 3
    assert "could not be rolled back" in status.out
    back = project.opsctl("rollback")
    assert back.exit_code == 0, back.err
    assert project.served_version() == "1"
    assert project.data == "do not lose this"
