"""An engine that refuses what was not allowed: docker compose goes through it."""

import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from opsctl.errors import SettingsError
from opsctl.systems.clock import SystemClock
from opsctl.systems.docker.compose import DockerCompose
from opsctl.systems.docker.guarded_engine import DockerEngineGuard
from opsctl.systems.engine.compose import ComposeProject, LogOptions, UpOptions
from opsctl.systems.engine.guarded_engine import (
    CREATING,
    RECREATING,
    REMOVING,
    REPLACING,
    STARTING,
    Actions,
    AllowedCalls,
    GuardedEngine,
)
from opsctl.systems.process.output import Line
from opsctl.systems.process.run import Finished, LocalProcesses
from tests.engines.compose import TempComposeProject
from tests.engines.docker import BUSYBOX
from tests.waiting import wait_for

CANARY = "s3cret-canary"
STACK = f"""
services:
  db:
    image: {BUSYBOX}
    init: true
    stop_grace_period: 1s
    command: ["sleep", "1000"]
    environment: {{V: "${{DB_V:-1}}", PASSWORD: {CANARY}}}
    networks: [inner, outer]
    volumes: ["data:/data"]
  web:
    image: {BUSYBOX}
    init: true
    stop_grace_period: 1s
    command: ["sleep", "1000"]
    environment: {{V: "${{WEB_V:-1}}"}}
    depends_on: [db]
    networks: [outer]
    configs: [{{source: motd, target: /motd}}]
networks: {{inner: {{}}, outer: {{}}}}
volumes: {{data: {{}}}}
configs: {{motd: {{content: hello}}}}
"""


@dataclass
class GuardedStack:
    made: TempComposeProject
    lines: list[str] = field(default_factory=list)
    versions: dict[str, str] = field(default_factory=dict)

    @property
    def project(self) -> ComposeProject:
        return ComposeProject(
            self.made.name,
            self.made.directory,
            (Path("docker-compose.yml"),),
            self.made.engine.host,
            environment=self.versions,
        )

    def container(self, service: str) -> str:
        return f"{self.made.name}-{service}-1"

    def allowed(self, **services: Actions) -> AllowedCalls:
        """Allow these actions on the services' containers, and to create what is missing."""
        name = self.made.name
        replacing: Mapping[str, Actions] = {f"{name}_inner": REPLACING, f"{name}_outer": REPLACING}
        return AllowedCalls(
            {self.container(service): actions for service, actions in services.items()},
            replacing,
            {f"{name}_data": REPLACING},
        )

    def up(self, allowed: AllowedCalls) -> tuple[Finished, GuardedEngine]:
        compose = DockerCompose(LocalProcesses(SystemClock()))
        options = UpOptions(wait_timeout_s=None, remove_orphans=True, limit_s=60)
        with DockerEngineGuard().guard(self.made.engine.host, allowed) as engine:
            project = replace(self.project, engine=engine.address)
            return compose.up(project, options, self.take_line), engine

    def take_line(self, line: Line) -> None:
        self.lines.append(line.text)

    def state(self) -> dict[str, str]:
        """Name each container with its id and the start of its run."""
        shown = "{{.Name}} {{.Id}} {{.State.StartedAt}}"
        names = self.made.containers()
        lines = self.made.engine.run("inspect", "--format", shown, *names).splitlines()
        return {line.split()[0].removeprefix("/"): line for line in lines if names}


@pytest.fixture
def stack(compose_project: TempComposeProject) -> GuardedStack:
    compose_project.write(STACK)
    return GuardedStack(compose_project)


def test_a_deploy_makes_what_was_allowed_and_nothing_else(stack: GuardedStack) -> None:
    finished, engine = stack.up(stack.allowed(db=CREATING, web=CREATING))
    assert (finished.exit_code, engine.refused) == (0, ()), stack.lines
    created = stack.state()

    # Nothing changed, and nothing may: compose asks for nothing.
    finished, engine = stack.up(AllowedCalls())
    assert (finished.exit_code, engine.refused) == (0, ()), stack.lines
    assert stack.state() == created

    # A recreated service, with the order of calls that both versions of compose have.
    stack.versions["WEB_V"] = "2"
    finished, engine = stack.up(stack.allowed(web=RECREATING))
    assert (finished.exit_code, engine.refused) == (0, ()), stack.lines
    recreated = stack.state()
    assert recreated[stack.container("db")] == created[stack.container("db")]
    assert recreated[stack.container("web")] != created[stack.container("web")]

    # A stopped one is only started.
    stack.made.engine.run("stop", "--time", "1", stack.container("web"))
    finished, engine = stack.up(stack.allowed(web=STARTING))
    assert (finished.exit_code, engine.refused) == (0, ()), stack.lines

    # What left the file goes.
    stack.made.write(STACK.replace("  web:", "  other:"))
    allowed = stack.allowed(web=REMOVING, other=CREATING)
    finished, engine = stack.up(allowed)
    assert (finished.exit_code, engine.refused) == (0, ()), stack.lines
    assert stack.made.containers() == [stack.container("db"), stack.container("other")]
    assert CANARY not in "".join(stack.lines)


def test_a_change_that_was_not_allowed_is_refused_by_name(stack: GuardedStack) -> None:
    stack.up(stack.allowed(db=CREATING, web=CREATING))
    before = stack.state()
    stack.versions["DB_V"] = "2"

    finished, engine = stack.up(stack.allowed(web=RECREATING))

    assert finished.exit_code != 0
    (refused, *_) = engine.refused
    assert str(refused).endswith(f"{stack.container('db')} (service db)")
    assert refused.project == stack.made.name
    assert "opsctl refused it, the plan does not have it" in "\n".join(stack.lines)
    assert CANARY not in "".join(stack.lines) + repr(engine.refused)
    assert stack.state()[stack.container("db")] == before[stack.container("db")]


def test_a_network_is_not_created_without_being_allowed(stack: GuardedStack) -> None:
    name = stack.made.name
    allowed = replace(stack.allowed(db=CREATING, web=CREATING), networks={})

    finished, engine = stack.up(allowed)

    assert finished.exit_code != 0
    assert {call.name for call in engine.refused} <= {f"{name}_inner", f"{name}_outer"}
    assert name not in stack.made.engine.run("network", "ls", "--format", "{{.Name}}")


def test_everything_of_one_project_may_change_and_nothing_of_another(
    stack: GuardedStack,
) -> None:
    finished, engine = stack.up(AllowedCalls(project=stack.made.name))
    assert (finished.exit_code, engine.refused) == (0, ())

    with guard(stack, project="other") as other:
        done = docker(stack, other, "rm", "--force", stack.container("web"))

    assert "opsctl refused it" in done
    assert stack.container("web") in stack.made.containers()


def test_other_changes_are_refused_even_where_a_project_may_change(stack: GuardedStack) -> None:
    commands = (
        ("image", "rm", "no-such-image:1"),
        ("container", "prune", "--force"),
        ("volume", "prune", "--force"),
        ("pull", "127.0.0.1:9/none:1"),
        ("volume", "rm", f"{stack.made.name}-other"),
        ("run", "--rm", BUSYBOX, "true"),
        ("network", "create", f"{stack.made.name}-other"),
    )
    stack.made.engine.run("volume", "create", f"{stack.made.name}-other")

    with guard(stack, project=stack.made.name) as engine:
        said = [docker(stack, engine, *command) for command in commands]

    for line in said:
        assert "opsctl refused it, the plan does not have it" in line
    assert len(engine.refused) >= len(commands)


def guard(stack: GuardedStack, *, project: str = "") -> AbstractContextManager[GuardedEngine]:
    return DockerEngineGuard().guard(stack.made.engine.host, AllowedCalls(project=project))


def docker(stack: GuardedStack, engine: GuardedEngine, *command: str) -> str:
    """Run a docker command through the guard, and return all that it printed."""
    done = replace(stack.made.engine, host=engine.address).attempt(*command)
    return done.stdout + done.stderr


def test_what_is_not_there_is_reported_by_the_engine_itself(stack: GuardedStack) -> None:
    with guard(stack) as engine:
        said = docker(stack, engine, "rm", "no-such-container")

    assert "No such container" in said
    assert engine.refused == ()


def test_streams_are_passed_on_in_both_directions(stack: GuardedStack) -> None:
    stack.up(stack.allowed(db=CREATING, web=CREATING))
    name = stack.container("db")

    with guard(stack, project=stack.made.name) as engine:
        echoed = docker(stack, engine, "exec", name, "sh", "-c", "echo out; echo err >&2")
        copied = docker(stack, engine, "cp", f"{name}:/etc/hostname", "-")
        compose, lines = DockerCompose(LocalProcesses(SystemClock())), list[str]()
        project = replace(stack.project, engine=engine.address)
        compose.logs(project, LogOptions(("db",)), lambda line: lines.append(line.text))

    assert set(echoed.split()) == {"out", "err"}
    assert "hostname" in copied
    assert engine.refused == ()


def test_the_address_is_no_file_and_ends_with_the_block(stack: GuardedStack) -> None:
    with guard(stack) as engine:
        assert docker(stack, engine, "version", "--format", "{{.Server.Version}}").strip()
        address = engine.address

    assert address.startswith("unix://@")
    assert address.removeprefix("unix://") not in Path("/proc/net/unix").read_text()


@contextmanager
def reached(engine: GuardedEngine) -> Iterator[socket.socket]:
    """Connect as docker does: the address is a name that no file stands for."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(30)
        connection.connect(f"\0{engine.address.removeprefix('unix://@')}")
        yield connection


def test_a_second_call_on_one_connection_is_never_passed_on(stack: GuardedStack) -> None:
    first = b"GET /_ping HTTP/1.1\r\nHost: docker\r\nConnection: keep-alive\r\n\r\n"
    second = b"POST /containers/prune HTTP/1.1\r\nHost: docker\r\nContent-Length: 0\r\n\r\n"

    with (
        guard(stack) as engine,
        reached(engine) as connection,
    ):
        connection.sendall(first + second)
        answer = b"".join(iter(lambda: connection.recv(65536), b""))

    assert answer.startswith(b"HTTP/1.1 200 OK")
    assert answer.count(b"HTTP/1.1") == 1


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"\r\n\r\n",
        b"no request at all\r\n\r\n",
        b"POST /containers/create HTTP/1.1\r\nContent-Length: nine\r\n\r\n",
        b"POST /networks/create HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
        b"POST /networks/create HTTP/1.1\r\nContent-Length: 100\r\n\r\n{}",
    ],
)
def test_a_broken_call_is_closed_and_the_next_one_is_served(
    stack: GuardedStack, sent: bytes
) -> None:
    with guard(stack) as engine:
        with reached(engine) as connection:
            connection.sendall(sent)
            connection.shutdown(socket.SHUT_WR)
            assert connection.recv(65536) == b""
        said = docker(stack, engine, "version", "--format", "{{.Server.Version}}")

    assert said.strip()


def test_a_body_in_chunks_is_read_as_well(stack: GuardedStack) -> None:
    body = b'5\r\n{"Nam\r\na\r\ne": "some"\r\n1\r\n}\r\n0\r\n\r\n'
    head = b"POST /networks/create HTTP/1.1\r\nHost: d\r\nTransfer-Encoding: chunked\r\n\r\n"

    with (
        guard(stack) as engine,
        reached(engine) as connection,
    ):
        connection.sendall(head + body)
        answer = connection.recv(65536)

    assert answer.startswith(b"HTTP/1.1 409 Conflict")
    assert [str(call) for call in engine.refused] == ["create network some"]


def test_an_engine_that_is_not_there_is_named(stack: GuardedStack, tmp_path: Path) -> None:
    address = f"unix://{tmp_path}/none.sock"

    with DockerEngineGuard().guard(address, AllowedCalls()) as engine:
        said = docker(stack, engine, "ps")

    assert f"no container engine answers at {address}" in said


def test_an_address_of_another_kind_is_refused() -> None:
    with pytest.raises(SettingsError), DockerEngineGuard().guard("npipe:////./x", AllowedCalls()):
        pass


def test_no_thread_and_no_connection_is_left(stack: GuardedStack) -> None:
    before = threading.active_count()

    with (
        guard(stack) as engine,
        reached(engine) as waiting,
    ):
        waiting.sendall(b"GET /events HTTP/1.1\r\nHost: d\r\n\r\n")
        assert waiting.recv(12) == b"HTTP/1.1 200"

    wait_for(lambda: threading.active_count() == before, 30, "the end of its threads")
