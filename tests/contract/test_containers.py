"""One suite over the twin and a real engine, then what only an engine, or none, can show."""

import json
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from opsctl.errors import OpsctlError, SettingsError, UnreachableError
from opsctl.systems.containers import Containers, DockerContainers
from opsctl.systems.engine import Container, Image, Stats
from tests.engines.docker import BUSYBOX, DockerEngine
from tests.twins.containers import START, MemoryContainers
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
    containers.measured["c1"] = Stats(1.0, 1_000_000, CAP, 1)
    containers.wall = datetime.now(UTC)
    return Stage(containers, "c1", "speaker", label)


def real(engine: DockerEngine, containers: Containers) -> Stage:
    engine.need_image("docker", BUSYBOX)
    mark = uuid4().hex[:8]
    name, label = f"speaker-{mark}", f"opsctl.test.stage={mark}"
    who = ("--name", name, "--label", label, "--env", "APP_ENV=dev")
    options = (*who, "--memory", "64m", "--memory-swap", "64m")
    id_ = engine.start(BUSYBOX, "sh", "-c", SPEAKS, options=options)
    wait_for(lambda: "two" in engine.attempt("logs", id_).stderr, 10, "the container to speak")
    return Stage(containers, id_, name, label)


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


def test_a_removed_container_is_gone_and_may_be_removed_again(stage: Stage) -> None:
    stage.containers.remove(stage.id, force=True)

    assert stage.containers.inspect(stage.id) is None
    stage.containers.remove(stage.id, force=True)


def test_a_running_container_is_removed_by_force_only(stage: Stage) -> None:
    with pytest.raises(OpsctlError) as caught:
        stage.containers.remove(stage.id)

    assert caught.value.what == f"could not remove container {stage.id}"
    assert "running" in caught.value.why


@pytest.mark.parametrize("ask", [Containers.environment, Containers.logs, Containers.stats])
def test_asking_about_what_is_not_there_is_an_error(
    stage: Stage, ask: Callable[[Containers, str], object]
) -> None:
    with pytest.raises(OpsctlError):
        getattr(stage.containers, ask.__name__)("no-such-container")


def test_restarting_what_is_not_there_is_an_error(stage: Stage) -> None:
    with pytest.raises(OpsctlError, match="could not restart no-such-container"):
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
    greedy = "head -c 100m /dev/zero | tail > /dev/null"
    caps = ("--memory", "16m", "--memory-swap", "16m")
    id_ = docker_engine.start(BUSYBOX, "sh", "-c", greedy, options=caps)

    ended = end_of(docker, id_)

    assert ended.was_out_of_memory


def test_health_is_told(docker: DockerContainers, docker_engine: DockerEngine) -> None:
    check = ("--health-cmd", "true", "--health-interval", "1s")
    id_ = docker_engine.start(BUSYBOX, "sleep", "300", options=check)

    wait_for(lambda: now(docker, id_).health == "healthy", 10, "the container to be healthy")


def test_restarts_by_the_engine_are_counted(
    docker: DockerContainers, docker_engine: DockerEngine
) -> None:
    options = ("--restart", "on-failure:2")
    id_ = docker_engine.start(BUSYBOX, "false", options=options)

    wait_for(lambda: now(docker, id_).restart_count == 2, 20, "the engine to restart it twice")


def now(docker: DockerContainers, id_: str) -> Container:
    found = docker.inspect(id_)
    assert found is not None
    return found


def end_of(docker: DockerContainers, id_: str) -> Container:
    wait_for(lambda: now(docker, id_).state == "exited", 20, "the container to end")
    return now(docker, id_)


def test_a_proxy_is_not_the_way_to_the_engine(
    docker_engine: DockerEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    with closing(DockerContainers(docker_engine.host, deadline_s=20)) as docker:
        assert docker.version().engine


def unreached(address: str) -> UnreachableError:
    began = time.monotonic()
    with closing(DockerContainers(address)) as docker, pytest.raises(UnreachableError) as caught:
        docker.version()
    assert time.monotonic() - began < 3
    return caught.value


@pytest.fixture
def socket_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("s") / "d.sock"


@pytest.fixture
def listener(socket_path: Path) -> Iterator[socket.socket]:
    with closing(socket.socket(socket.AF_UNIX)) as bound:
        bound.bind(str(socket_path))
        yield bound


def test_no_engine_says_how_to_start_it(tmp_path: Path) -> None:
    error = unreached(f"unix://{tmp_path}/none.sock")

    assert error.why == f"there is no container engine at unix://{tmp_path}/none.sock"
    assert error.hint == "Start it: systemctl start docker"


def test_a_dead_socket_says_how_to_start_it(listener: socket.socket, socket_path: Path) -> None:
    assert listener.fileno()

    error = unreached(f"unix://{socket_path}")

    assert error.why == f"nothing listens at unix://{socket_path}"
    assert error.hint == "Start it: systemctl start docker"


def test_an_engine_that_hangs_is_given_up_in_time(
    listener: socket.socket, socket_path: Path
) -> None:
    listener.listen(8)

    error = unreached(f"unix://{socket_path}")

    assert "did not answer" in error.why
    assert error.hint


def test_an_engine_with_a_crowd_at_its_door_is_given_up(
    listener: socket.socket, socket_path: Path
) -> None:
    listener.listen(0)
    with closing(socket.socket(socket.AF_UNIX)) as first:
        first.connect(str(socket_path))

        error = unreached(f"unix://{socket_path}")

    assert "did not answer" in error.why


@pytest.mark.parametrize("say", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"])
def test_what_is_no_engine_is_told(listener: socket.socket, socket_path: Path, say: bytes) -> None:
    listener.listen(1)
    answering = threading.Thread(target=answer_once, args=(listener, say), daemon=True)
    answering.start()

    error = unreached(f"unix://{socket_path}")

    answering.join(5)
    assert error.why


def answer_once(listener: socket.socket, say: bytes) -> None:
    """Answer the first that asks; who only knocks asks nothing."""
    has_asked = False
    while not has_asked:
        with closing(listener.accept()[0]) as client:
            has_asked = bool(client.recv(4096))
            if has_asked:
                client.sendall(say)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may talk to every socket")
def test_a_forbidden_socket_names_the_group(listener: socket.socket, socket_path: Path) -> None:
    listener.listen(1)
    socket_path.chmod(0)

    assert "usermod -aG docker" in unreached(f"unix://{socket_path}").hint


@pytest.mark.parametrize("address", ["tcp://", "carrier://pigeon", "ssh://far"])
def test_an_address_that_cannot_be_used_is_a_wrong_setting(address: str) -> None:
    with closing(DockerContainers(address)) as docker, pytest.raises(SettingsError) as caught:
        docker.version()

    assert "DOCKER_HOST" in caught.value.hint


def restarting_engine(listener: socket.socket, starts: list[str]) -> None:
    """Play an engine that restarts, and never says so: `starts` are the StartedAt it tells."""
    while True:
        try:
            client = listener.accept()[0]
        except OSError:
            return
        threading.Thread(target=serve, args=(client, starts), daemon=True).start()


def serve(client: socket.socket, starts: list[str]) -> None:
    with closing(client):
        while request := client.recv(65536):
            path = request.split()[1].decode()
            if path.endswith("/version"):
                reply(client, {"ApiVersion": "1.41", "MinAPIVersion": "1.12"})
            elif path.endswith("/json"):
                reply(client, inspected(starts.pop(0) if len(starts) > 1 else starts[0]))


def reply(client: socket.socket, document: object) -> None:
    body = json.dumps(document).encode()
    client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))


def inspected(started_at: str) -> dict[str, object]:
    never = "0001-01-01T00:00:00Z"
    state = {"Status": "running", "StartedAt": started_at, "FinishedAt": never}
    return {
        "Id": "c1",
        "Name": "/web",
        "Image": "sha256:b",
        "Config": {"Image": "b", "Labels": None},
        "State": {**state, "ExitCode": 0, "OOMKilled": False},
        "RestartCount": 0,
    }


@pytest.mark.parametrize("has_restarted", [True, False])
def test_a_restart_that_is_not_confirmed_is_judged_by_its_start(
    listener: socket.socket, socket_path: Path, *, has_restarted: bool
) -> None:
    later = "2024-01-02T00:00:00Z" if has_restarted else "2024-01-01T00:00:00Z"
    listener.listen(8)
    engine = threading.Thread(
        target=restarting_engine, args=(listener, ["2024-01-01T00:00:00Z", later]), daemon=True
    )
    engine.start()

    with closing(DockerContainers(f"unix://{socket_path}", patience_s=0.2)) as docker:
        if has_restarted:
            assert docker.restart("web", stop_timeout_s=0).started_at == START + timedelta(days=1)
        else:
            with pytest.raises(UnreachableError, match="could not restart web"):
                docker.restart("web", stop_timeout_s=0)

    listener.shutdown(socket.SHUT_RDWR)
    engine.join(5)


def test_the_twin_can_be_away() -> None:
    away = replace(MemoryContainers(), is_away=True)

    with pytest.raises(UnreachableError):
        away.find()
