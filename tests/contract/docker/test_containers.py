"""One suite over the fake and a real engine, then what only an engine can show."""

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from opsctl.errors import OpsctlError, UnreachableError
from opsctl.systems.docker.containers import DockerContainers
from opsctl.systems.engine.containers import Containers
from opsctl.systems.engine.model import Container, ContainerStats, Image
from tests.engines.docker import BUSYBOX, DockerEngine
from tests.fakes.containers import START, MemoryContainers
from tests.waiting import wait_for

SPEAKS = "echo one; echo two >&2; exec sleep 300"
CAP = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Stage:
    """An engine with one container that speaks and sleeps."""

    containers: Containers
    id: str
    name: str
    label: str


def told() -> Stage:
    containers, label = MemoryContainers(), "opsctl.test.stage=told"
    labels = {"opsctl.test.stage": "told"}
    containers.known_images = (Image("sha256:b", (BUSYBOX,), 2_000_000, START),)
    one = Container("c1", "speaker", "sha256:b", BUSYBOX, "running", labels, started_at=START)
    containers.add(one)
    containers.environments["c1"] = {"APP_ENV": "dev"}
    containers.said["c1"] = "one\ntwo\n"
    containers.measured["c1"] = ContainerStats(1.0, 1_000_000, CAP, 1)
    containers.wall = datetime.now(UTC)
    return Stage(containers, "c1", "speaker", label)


def real(engine: DockerEngine, containers: Containers) -> Stage:
    engine.need_image("docker", BUSYBOX)
    mark = uuid4().hex[:8]
    name, label = f"speaker-{mark}", f"opsctl.test.stage={mark}"
    who = ("--name", name, "--label", label, "--env", "APP_ENV=dev")
    options = (*who, "--memory", "64m", "--memory-swap", "64m")
    id_ = engine.start(BUSYBOX, "sh", "-c", SPEAKS, options=options)
    # The engine reads its two pipes apart.
    wait_for(lambda: said(engine, id_) == ["one", "two"], 60, "the container to speak")
    return Stage(containers, id_, name, label)


def said(engine: DockerEngine, container: str) -> list[str]:
    done = engine.attempt("logs", container)
    return [*done.stdout.split(), *done.stderr.split()]


@pytest.fixture
def docker(docker_engine: DockerEngine) -> Iterator[DockerContainers]:
    with closing(DockerContainers(docker_engine.host, deadline_s=20)) as containers:
        yield containers


@pytest.fixture(params=["docker", "told"])
def stage(request: pytest.FixtureRequest) -> Iterator[Stage]:
    if request.param == "told":
        yield told()
        return
    engine: DockerEngine = request.getfixturevalue("docker_engine")
    found = real(engine, request.getfixturevalue("docker"))
    yield found
    engine.attempt("rm", "--force", found.id)


def test_a_container_is_found_by_its_label(stage: Stage) -> None:
    (found,) = stage.containers.find(stage.label)

    assert (found.id, found.name, found.image) == (stage.id, stage.name, BUSYBOX)
    assert found.image_id == stage.containers.image_id(BUSYBOX)
    assert (found.state, found.health, found.exit_code) == ("running", None, 0)
    assert found.labels["opsctl.test.stage"] == stage.label.partition("=")[2]
    assert found.started_at is not None


def test_a_container_must_carry_every_label(stage: Stage) -> None:
    assert stage.containers.find("opsctl.test.stage", "no.such.label") == ()


def test_a_container_is_known_by_name_and_id(stage: Stage) -> None:
    by_name = stage.containers.inspect(stage.name)

    assert by_name == stage.containers.inspect(stage.id) != None  # noqa: E711 - one chain


def test_a_container_that_is_not_there_is_none(stage: Stage) -> None:
    assert stage.containers.inspect("no-such-container") is None


def test_the_environment_is_read(stage: Stage) -> None:
    assert stage.containers.environment(stage.id)["APP_ENV"] == "dev"


def test_the_last_lines_are_read(stage: Stage) -> None:
    assert sorted(stage.containers.logs(stage.id).split()) == ["one", "two"]
    assert len(stage.containers.logs(stage.id, lines=1).split()) == 1


def test_a_running_container_is_measured(stage: Stage) -> None:
    stats = stage.containers.stats(stage.id)

    assert stats.memory_limit_bytes == CAP
    assert 0 < stats.memory_bytes < CAP
    assert stats.processes >= 1


def test_a_restart_shows_in_the_start(stage: Stage) -> None:
    before = stage.containers.inspect(stage.id)

    after = stage.containers.restart(stage.id, stop_timeout_s=0)

    assert before is not None
    assert before.started_at is not None
    assert after.started_at is not None
    assert after.started_at > before.started_at
    assert after.state == "running"


def test_a_paused_container_is_unpaused(
    docker: DockerContainers, docker_engine: DockerEngine
) -> None:
    paused = docker_engine.start(BUSYBOX, "sleep", "1000")
    docker_engine.run("pause", paused)

    docker.unpause(paused)
    docker.unpause(paused)

    found = docker.inspect(paused)
    assert found is not None
    assert found.state == "running"


def test_a_removed_container_is_gone_and_may_be_removed_again(stage: Stage) -> None:
    stage.containers.remove(stage.id, force=True)

    assert stage.containers.inspect(stage.id) is None
    stage.containers.remove(stage.id, force=True)


def test_a_running_container_is_removed_by_force_only(stage: Stage) -> None:
    with pytest.raises(OpsctlError) as caught:
        stage.containers.remove(stage.id)

    assert caught.value.what == f"cannot remove container {stage.id}"
    assert "running" in caught.value.why


@pytest.mark.parametrize("ask", [Containers.environment, Containers.logs, Containers.stats])
def test_asking_about_what_is_not_there_is_an_error(
    stage: Stage, ask: Callable[[Containers, str], object]
) -> None:
    with pytest.raises(OpsctlError):
        getattr(stage.containers, ask.__name__)("no-such-container")


def test_restarting_what_is_not_there_is_an_error(stage: Stage) -> None:
    with pytest.raises(OpsctlError, match="cannot restart no-such-container"):
        stage.containers.restart("no-such-container")


def test_images_have_names_and_sizes(stage: Stage) -> None:
    image = next(one for one in stage.containers.images() if BUSYBOX in one.names)

    assert image.id == stage.containers.image_id(BUSYBOX)
    assert image.size_bytes > 1_000_000


def test_an_image_that_is_not_there_is_none(stage: Stage) -> None:
    assert stage.containers.image_id("no-such-image:1") is None


def test_the_engine_tells_the_time(stage: Stage) -> None:
    assert abs(stage.containers.now() - datetime.now(UTC)) < timedelta(minutes=1)


def test_the_engine_has_a_version(stage: Stage) -> None:
    assert stage.containers.version().engine[0].isdigit()


def test_the_engine_adds_up_what_it_takes(docker: DockerContainers) -> None:
    assert docker.disk_usage().images_bytes > 1_000_000


def test_an_ended_container_says_how(docker: DockerContainers, docker_engine: DockerEngine) -> None:
    id_ = docker_engine.start(BUSYBOX, "sh", "-c", "exit 7")

    ended = end_of(docker, id_)

    assert ended.exit_code == 7
    assert not ended.was_out_of_memory
    assert ended.finished_at is not None


def test_a_container_out_of_memory_says_so(
    docker: DockerContainers, docker_engine: DockerEngine
) -> None:
    # It outlives its child: the engine misses a killing that comes together with the end.
    greedy = "head -c 100m /dev/zero | tail > /dev/null; exec sleep 300"
    caps = ("--memory", "16m", "--memory-swap", "16m")
    id_ = docker_engine.start(BUSYBOX, "sh", "-c", greedy, options=caps)
    told = ("events", "--since", "10m", "--until", "0s", "--filter", f"container={id_}")
    wait_for(
        lambda: docker_engine.run(*told, "--filter", "event=oom"), 60, "the engine to hear of it"
    )
    docker_engine.run("stop", "--time", "0", id_)

    ended = end_of(docker, id_)

    assert ended.was_out_of_memory


def test_health_is_reported(docker: DockerContainers, docker_engine: DockerEngine) -> None:
    check = ("--health-cmd", "true", "--health-interval", "1s")
    id_ = docker_engine.start(BUSYBOX, "sleep", "300", options=check)

    wait_for(lambda: now(docker, id_).health == "healthy", 60, "the container to be healthy")


def test_restarts_by_the_engine_are_counted(
    docker: DockerContainers, docker_engine: DockerEngine
) -> None:
    options = ("--restart", "on-failure:2")
    id_ = docker_engine.start(BUSYBOX, "false", options=options)

    wait_for(lambda: now(docker, id_).restart_count == 2, 90, "the engine to restart it twice")


def now(docker: DockerContainers, id_: str) -> Container:
    found = docker.inspect(id_)
    assert found is not None
    return found


def end_of(docker: DockerContainers, id_: str) -> Container:
    wait_for(lambda: now(docker, id_).state == "exited", 60, "the container to end")
    return now(docker, id_)


def test_a_proxy_is_not_the_way_to_the_engine(
    docker_engine: DockerEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    with closing(DockerContainers(docker_engine.host, deadline_s=20)) as docker:
        assert docker.version().engine


def test_the_fake_can_be_unavailable() -> None:
    away = replace(MemoryContainers(), is_away=True)

    with pytest.raises(UnreachableError):
        away.find()
