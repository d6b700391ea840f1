from typing import Any

import pytest

from tests.engines.docker import BUSYBOX, DockerEngine
from tests.engines.own_engine import OwnEngine
from tests.scenarios.deploy.conftest import make_stage
from tests.scenarios.deploy.stage import STORE, WEB, Stage
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


def _fails(stage: Stage, exit_code: int = 1, *words: str) -> str:
    """Fail to deploy, and see that the old version serves and the data is there."""
    _watch_longer(stage)
    before = stage.ids()[stage.container("store")]
    done = stage.up(*words, exit_code=exit_code)
    assert stage.serves() == "1"
    assert stage.precious == "do not lose this"
    assert stage.ids()[stage.container("store")] == before
    assert stage.opsctl("status", "--no-stats", "--json").json["unfinished"] == ""
    return done.err


def _watch_longer(stage: Stage) -> None:
    """What ends at once ends within the stable window also where ending takes its time."""
    stage.variables["OPSCTL_DEPLOY_STABLE_S"] = "3"


@pytest.mark.parametrize(
    ("service", "said"),
    [
        (CRASHING, ["crash loop", "exit code 7", "out of ideas"]),
        (UNHEALTHY, ["unhealthy"]),
        ({**WEB, "command": ["sh", "-c", "exit 4"]}, ["exit code 4"]),
        ({**WEB, "command": ["no-such-program"]}, ["no-such-program"]),
    ],
)
def test_what_does_not_become_well_is_put_back(
    stage: Stage, service: dict[str, Any], said: list[str]
) -> None:
    stage.deploy("1")
    stage.write({"web": service, "store": STORE})
    stage.version("2")

    complaint = _fails(stage)

    assert all(words in complaint for words in said), complaint
    assert "what ran before runs again" in complaint
    assert stage.outcomes() == ["restored", "done"]


def test_a_service_that_takes_too_long_is_put_back(stage: Stage) -> None:
    stage.deploy("1")
    stage.write({"web": SLOW, "store": STORE})
    stage.version("2")

    complaint = _fails(stage, 1, "--wait-timeout", "2s")

    assert "did not become well within 2 s" in complaint


def test_a_build_that_fails_changes_nothing_that_runs(stage: Stage) -> None:
    stage.deploy("1")
    web = stage.ids()[stage.container("web")]
    stage.version("2", dockerfile=f"FROM {BUSYBOX}\nRUN echo so sad && exit 9\n")

    complaint = _fails(stage)

    assert "could not build" in complaint
    assert "so sad" in complaint
    assert stage.ids()[stage.container("web")] == web
    assert stage.outcomes() == ["failed", "done"]


def test_a_pull_that_fails_changes_nothing_that_runs(stage: Stage) -> None:
    stage.deploy("1")
    web = stage.ids()[stage.container("web")]
    pulled = {**STORE, "image": "127.0.0.1:9/none:1"}
    stage.write({"web": pulled, "store": STORE})
    stage.commit("Two")

    complaint = _fails(stage)

    assert "could not pull" in complaint
    assert stage.ids()[stage.container("web")] == web


def test_a_second_build_that_fails_gives_the_first_its_name_back(stage: Stage) -> None:
    stage.deploy("1")
    image = stage.engine.run("inspect", "--format", "{{.Image}}", stage.container("web"))
    bad = {**WEB, "build": {"context": ".", "dockerfile_inline": "FROM scratch\nCOPY none /"}}
    stage.write({"web": WEB, "zoo": bad, "store": STORE})
    stage.version("2")

    _fails(stage)

    name = f"{stage.project}-web"
    assert stage.engine.run("image", "inspect", "--format", "{{.Id}}", name) == image


def test_a_first_deploy_that_fails_leaves_nothing_running_and_the_volume(stage: Stage) -> None:
    stage.write({"web": CRASHING, "store": STORE})
    stage.version("1")
    _watch_longer(stage)

    done = stage.up(exit_code=1)

    assert "what was started is removed again" in done.err
    assert stage.names() == []
    assert f"{stage.project}_precious" in stage.engine.run("volume", "ls")


def test_a_stack_that_plain_compose_started_is_put_back_too(stage: Stage) -> None:
    stage.write({"web": WEB, "store": STORE})
    stage.version("1")
    file = f"{stage.directory}/docker-compose.dev.yml"
    stage.engine.run("compose", "-p", stage.project, "-f", file, "up", "--detach", "--build")
    stage.precious = "do not lose this"
    stage.version("bad")
    _watch_longer(stage)

    plan = stage.opsctl("up", "-n")
    stage.up(exit_code=1)

    assert "was not started by opsctl" in plan.out
    assert stage.serves() == "1"
    assert stage.precious == "do not lose this"


def test_a_name_conflict_of_an_interrupted_replacement_is_swept(stage: Stage) -> None:
    stage.deploy("1")
    left_over = f"0123456789ab_{stage.container('web')}"
    labels = {"project": stage.project, "service": "web", "oneoff": "False"}
    options = [f"--label=com.docker.compose.{key}={value}" for key, value in labels.items()]
    stage.engine.run("create", "--name", left_over, *options, BUSYBOX)
    stage.version("2")

    status = stage.opsctl("status", "--no-stats")
    stage.up()

    assert left_over in status.out
    assert left_over not in stage.names()
    assert stage.serves() == "2"


def test_a_disk_that_fills_in_mid_build_leaves_the_old_version(
    cramped_engine: OwnEngine, tmp_path: Any
) -> None:
    stage = make_stage(cramped_engine, tmp_path)
    stage.deploy("1")
    fill = f"FROM {BUSYBOX}\nRUN dd if=/dev/zero of=/fat bs=1M count=200\n"
    stage.version("2", dockerfile=fill)

    complaint = _fails(stage)

    assert "no space left" in complaint.casefold(), complaint
    stage.version("3")
    stage.up()
    assert stage.serves() == "3"


def test_an_engine_that_stops_in_mid_deploy_is_told_and_mended_by_the_next_up(
    brittle_engine: OwnEngine, docker_engine: DockerEngine, tmp_path: Any
) -> None:
    del docker_engine  # its images were copied
    stage = make_stage(brittle_engine, tmp_path)
    stage.deploy("1")
    stage.write({"web": SLOW, "store": STORE})
    stage.version("2")

    with stage.start("up") as running:
        said = running.stderr
        assert said is not None
        wait_for(lambda: "waiting for web" in said.readline(), 80, "the wait for web")
        brittle_engine.stop_dead()
        complaint = said.read()

    assert running.returncode == 8, complaint
    assert "opsctl rollback -e dev" in complaint
    brittle_engine.start_up()
    status = stage.opsctl("status", "--no-stats")
    assert status.exit_code == 3
    assert "could not be put back" in status.out
    back = stage.opsctl("rollback")
    assert back.exit_code == 0, back.err
    assert stage.serves() == "1"
    assert stage.precious == "do not lose this"
