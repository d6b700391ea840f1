"""One suite over the fake and a real engine, then what only an engine can show."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from uuid import uuid4

import pytest

from opsctl.errors import OpsctlError, UnreachableError
from opsctl.sandbox.outcome import parse_last_words
from opsctl.sandbox.verify_caps import failed_caps
from opsctl.systems.docker.capped_entrypoint import KILL, READY, STOP, go, last_words, read_shown
from opsctl.systems.docker.capped_runner import DockerCappedRunner
from opsctl.systems.engine.capped_container import (
    CappedLimits,
    CappedRunner,
    CappedSpec,
    ContainerChannel,
    ImageFacts,
    OutputPiece,
    OutputStream,
)
from tests.engines.docker import BUSYBOX, DockerEngine
from tests.engines.owner import this_process
from tests.fakes.capped_runner import Script, ScriptedCappedRunner
from tests.waiting import wait_for

MEBI = 1024 * 1024
LABEL = "opsctl.test.sandboxes"
LIMITS = CappedLimits(0.5, 64 * MEBI, 64, 16 * MEBI)


@dataclass(frozen=True, slots=True)
class Stage:
    sandboxes: CappedRunner
    mark: str
    opened: list[ContainerChannel] = field(default_factory=list)

    def spec(self, command: str) -> CappedSpec:
        name = f"{this_process().prefix}-{self.mark}-{uuid4().hex[:6]}"
        words = ("sh", "-c", command)
        return CappedSpec(name, BUSYBOX, LIMITS, "65534:65534", words, labels={LABEL: self.mark})


def told() -> ScriptedCappedRunner:
    says = (OutputPiece(OutputStream.OUT, b"out\n"), OutputPiece(OutputStream.ERROR, b"err\n"))
    script = Script(says, exit_code=3)
    facts = ImageFacts("sha256:b", (), ("sh",))
    return ScriptedCappedRunner(known_images={BUSYBOX: facts}, scripts={BUSYBOX: script})


@pytest.fixture
def docker(docker_engine: DockerEngine) -> Iterator[Stage]:
    docker_engine.need_image("docker", BUSYBOX)
    with closing(DockerCappedRunner(docker_engine.host, deadline_s=20)) as sandboxes:
        stage = Stage(sandboxes, uuid4().hex[:6])
        yield stage
        for channel in stage.opened:
            channel.close()
        for one in sandboxes.find(f"{LABEL}={stage.mark}"):
            sandboxes.discard(one.id)
        for network in sandboxes.networks(f"{LABEL}={stage.mark}"):
            sandboxes.remove_network(network.id)


@pytest.fixture(params=["docker", "told"])
def stage(request: pytest.FixtureRequest) -> Stage:
    if request.param == "told":
        return Stage(told(), "told")
    found: Stage = request.getfixturevalue("docker")
    return found


def heard(channel: ContainerChannel, stream: OutputStream, until: bytes = b"") -> bytes:
    """Hear until these bytes come, or the end."""
    said = bytearray()

    def more() -> bool:
        for piece in channel.read(0.1):
            if piece.stream is stream:
                said.extend(piece.data)
        return not channel.is_open or bool(until and until in said)

    wait_for(more, 90, "the container to be heard out")
    return bytes(said)


def test_a_container_shows_its_caps_then_runs_and_says_how_it_ended(stage: Stage) -> None:
    spec = stage.spec("echo out; echo err >&2; exit 3")
    box = stage.sandboxes
    container = box.create(spec)
    with closing(box.open(container)) as channel:
        box.start(container)
        shown = heard(channel, OutputStream.OUT, READY)
        channel.send(go("m4rk"))
        said, mark, words = heard(channel, OutputStream.ERROR).partition(last_words("m4rk"))

    assert failed_caps(read_shown(shown.decode()), spec) == ()
    assert said == b"err\n"
    assert mark
    found = parse_last_words(words.decode())
    assert found is not None
    assert found[:2] == (3, False)
    ended = box.wait(container, timeout_s=60)
    assert ended is not None
    assert (ended.state, ended.exit_code) == ("exited", 3)


def test_a_container_is_found_by_its_label_until_it_is_discarded(stage: Stage) -> None:
    container = stage.sandboxes.create(stage.spec("true"))

    (found,) = stage.sandboxes.find(f"{LABEL}={stage.mark}")
    stage.sandboxes.discard(container)
    stage.sandboxes.discard(container)

    assert found.labels[LABEL] == stage.mark
    assert stage.sandboxes.inspect(container) is None


def test_a_container_is_discarded_by_its_name(stage: Stage) -> None:
    spec = stage.spec("true")
    container = stage.sandboxes.create(spec)

    stage.sandboxes.discard(spec.name)

    assert stage.sandboxes.inspect(container) is None


def test_a_kept_container_has_another_name(stage: Stage) -> None:
    spec = stage.spec("true")
    container = stage.sandboxes.create(replace(spec, name=f"{spec.name}-x"))

    kept = stage.sandboxes.keep(container, f"{spec.name}-x")
    stage.sandboxes.discard(f"{spec.name}-x")

    assert kept == f"kept-{spec.name}-x"
    assert stage.sandboxes.inspect(kept) is not None
    stage.sandboxes.discard(kept)


def test_a_network_is_found_by_its_labels_until_it_is_discarded(stage: Stage) -> None:
    name = f"{this_process().prefix}-{uuid4().hex[:6]}"
    stage.sandboxes.create_network(name, {LABEL: stage.mark})

    (found,) = stage.sandboxes.networks(f"{LABEL}={stage.mark}")
    stage.sandboxes.remove_network(found.id)
    stage.sandboxes.remove_network(found.id)

    assert (found.name, found.labels[LABEL]) == (name, stage.mark)
    assert stage.sandboxes.networks(f"{LABEL}={stage.mark}") == ()


def test_an_image_says_what_it_runs(stage: Stage) -> None:
    facts = stage.sandboxes.image(BUSYBOX)

    assert facts is not None
    assert (facts.entrypoint, facts.command) == ((), ("sh",))
    assert stage.sandboxes.image("no-such-image:1") is None


def test_a_container_of_no_image_is_not_made(stage: Stage) -> None:
    with pytest.raises(OpsctlError, match="cannot create a test container"):
        stage.sandboxes.create(replace(stage.spec("true"), image="no-such-image:1"))


def test_the_fake_can_be_unavailable() -> None:
    with pytest.raises(UnreachableError):
        replace(told(), is_away=True).create(Stage(told(), "x").spec("true"))


@dataclass(frozen=True, slots=True)
class Started:
    stage: Stage
    container: str
    channel: ContainerChannel

    def end(self) -> tuple[int, bool]:
        """Hear it out: the code that it ended with, and whether that was a signal."""
        said = heard(self.channel, OutputStream.ERROR)
        words = parse_last_words(said.partition(last_words("m4rk"))[2].decode())
        assert words is not None, said
        return words[:2]


def started(stage: Stage, command: str, **changed: object) -> Started:
    box = stage.sandboxes
    container = box.create(replace(stage.spec(command), **changed))  # type: ignore[arg-type]  # by name
    channel = box.open(container)
    stage.opened.append(channel)
    box.start(container)
    heard(channel, OutputStream.OUT, READY)
    channel.send(go("m4rk"))
    return Started(stage, container, channel)


ENDS = [
    ("exit 0", (0, False)),
    ("exit 137", (137, False)),
    ("kill -9 $$", (137, True)),
    ("kill -TERM $$", (143, True)),
    ('sh -c "kill -9 \\$\\$"; exit $?', (137, False)),
    ("nosuch", (127, False)),
]


@pytest.mark.parametrize(("command", "ended"), ENDS)
def test_an_exit_code_differs_from_a_signal(
    docker: Stage, command: str, ended: tuple[int, bool]
) -> None:
    assert started(docker, command).end() == ended


def test_the_command_cannot_read_our_words_and_does_not_ignore_interruptions(
    docker: Stage,
) -> None:
    run = started(docker, "cat; trap; grep SigIgn /proc/self/status; kill -INT $$; exit 9")
    said = heard(run.channel, OutputStream.OUT)

    ignored = int(said.split()[1], 16)
    assert ignored & 0b10 == 0, "SIGINT is ignored"


def test_term_reaches_the_command_and_not_the_entrypoint(docker: Stage) -> None:
    run = started(docker, 'trap "echo bye; exit 4" TERM; echo up; while :; do sleep 0.05; done')
    heard(run.channel, OutputStream.OUT, b"up\n")

    run.channel.send(STOP)

    assert run.end() == (4, False)


def test_a_command_that_ignores_term_is_killed_and_the_entrypoint_still_reports(
    docker: Stage,
) -> None:
    run = started(docker, 'trap "" TERM; echo up; while :; do sleep 0.05; done')
    heard(run.channel, OutputStream.OUT, b"up\n")

    run.channel.send(STOP)
    run.channel.send(KILL)

    assert run.end() == (137, True)


def test_when_we_are_gone_the_container_ends(docker: Stage) -> None:
    run = started(docker, "echo up; sleep 300")
    heard(run.channel, OutputStream.OUT, b"up\n")

    run.channel.close()

    def state() -> str:
        found = docker.sandboxes.inspect(run.container)
        return found.state if found else "gone"

    wait_for(lambda: state() == "exited", 60, "the container to end with us")


def test_an_entrypoint_that_is_never_released_runs_nothing(docker: Stage) -> None:
    box = docker.sandboxes
    container = box.create(docker.spec("echo never"))
    channel = box.open(container)
    box.start(container)
    heard(channel, OutputStream.OUT, READY)

    channel.close()

    ended = box.wait(container, timeout_s=60)
    assert ended is not None
    assert ended.exit_code == 125


WEAKER = [
    ({"network": "bridge"}, "a way to a network"),
    ({"user": "0:0"}, "it runs as root"),
]


@pytest.mark.parametrize(("changed", "said"), WEAKER)
def test_a_container_with_weaker_caps_is_detected(
    docker: Stage, changed: dict[str, str], said: str
) -> None:
    box = docker.sandboxes
    spec = replace(docker.spec("true"), **changed)  # type: ignore[arg-type]  # by name
    container = box.create(spec)
    with closing(box.open(container)) as channel:
        box.start(container)
        shown = heard(channel, OutputStream.OUT, READY)

    assert said in " ".join(failed_caps(read_shown(shown.decode()), docker.spec("true")))


def test_tighter_caps_than_the_container_has_are_not_believed(docker: Stage) -> None:
    box, spec = docker.sandboxes, docker.spec("true")
    container = box.create(spec)
    with closing(box.open(container)) as channel:
        box.start(container)
        shown = heard(channel, OutputStream.OUT, READY)

    tight = replace(spec, limits=CappedLimits(0.1, 16 * MEBI, 8, MEBI))
    assert len(failed_caps(read_shown(shown.decode()), tight)) >= 3


def test_a_running_container_is_measured_and_an_ended_one_is_not(docker: Stage) -> None:
    run = started(docker, "echo up; sleep 300")
    heard(run.channel, OutputStream.OUT, b"up\n")

    sample = docker.sandboxes.sample(run.container)
    docker.sandboxes.kill(run.container)
    docker.sandboxes.wait(run.container, timeout_s=60)

    assert sample is not None
    assert sample.cpu_s > 0
    assert docker.sandboxes.sample(run.container) is None
    docker.sandboxes.kill(run.container)


def test_a_command_in_a_running_container_says_its_code(docker: Stage) -> None:
    run = started(docker, "echo up; sleep 300")
    heard(run.channel, OutputStream.OUT, b"up\n")

    codes = [docker.sandboxes.execute(run.container, "sh", "-c", f"exit {n}") for n in (0, 7)]
    docker.sandboxes.kill(run.container)
    docker.sandboxes.wait(run.container, timeout_s=60)

    assert codes == [0, 7]
    assert docker.sandboxes.execute(run.container, "true") == -1


def test_the_engines_socket_is_named_only_where_it_is_local(docker_engine: DockerEngine) -> None:
    with closing(DockerCappedRunner(docker_engine.host, deadline_s=2)) as local:
        assert local.socket.endswith(".sock")
    with closing(DockerCappedRunner("tcp://engine.example.org:2376", deadline_s=2)) as remote:
        assert remote.socket == ""
