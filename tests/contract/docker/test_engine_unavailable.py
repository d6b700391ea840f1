"""No engine, a dead one, one that hangs, and what is none: each told in time, with what to do."""

import json
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from opsctl.errors import SettingsError, UnreachableError
from opsctl.systems.docker.containers import DockerContainers
from tests.fakes.containers import START

NOBODY = 65534


def unreached(address: str) -> UnreachableError:
    began = time.monotonic()
    with closing(DockerContainers(address)) as docker, pytest.raises(UnreachableError) as caught:
        docker.version()
    # Left to itself the client would wait for a minute.
    assert time.monotonic() - began < 30
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


def test_an_engine_that_hangs_fails_within_the_deadline(
    listener: socket.socket, socket_path: Path
) -> None:
    listener.listen(8)

    error = unreached(f"unix://{socket_path}")

    assert "did not answer" in error.why
    assert error.hint


def test_an_engine_with_a_full_backlog_fails_within_the_deadline(
    listener: socket.socket, socket_path: Path
) -> None:
    listener.listen(0)
    with closing(socket.socket(socket.AF_UNIX)) as first:
        first.connect(str(socket_path))

        error = unreached(f"unix://{socket_path}")

    assert "did not answer" in error.why


@pytest.mark.parametrize("say", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"])
def test_what_is_not_an_engine_is_reported(
    listener: socket.socket, socket_path: Path, say: bytes
) -> None:
    listener.listen(1)
    answering = threading.Thread(target=answer_once, args=(listener, say), daemon=True)
    answering.start()

    error = unreached(f"unix://{socket_path}")

    answering.join(60)
    assert error.why


def answer_once(listener: socket.socket, say: bytes) -> None:
    """Answer the first that asks; who only knocks asks nothing."""
    has_asked = False
    while not has_asked:
        with closing(listener.accept()[0]) as client:
            has_asked = bool(client.recv(4096))
            if has_asked:
                client.sendall(say)


@contextmanager
def as_nobody() -> Iterator[None]:
    """Give up root, which may talk to every socket; for anyone else there is nothing to give up."""
    user = os.geteuid()
    os.seteuid(NOBODY if user == 0 else user)
    try:
        yield
    finally:
        os.seteuid(user)


def test_a_forbidden_socket_names_the_group(listener: socket.socket, socket_path: Path) -> None:
    listener.listen(1)
    socket_path.chmod(0)

    with as_nobody():
        hint = unreached(f"unix://{socket_path}").hint

    assert "usermod -aG docker" in hint


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
            with pytest.raises(UnreachableError, match="cannot restart web"):
                docker.restart("web", stop_timeout_s=0)

    listener.shutdown(socket.SHUT_RDWR)
    engine.join(60)
