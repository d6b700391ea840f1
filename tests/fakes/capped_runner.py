"""An engine for test containers in memory: each is a script of what it says and when it ends."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from opsctl.errors import OpsctlError, UnreachableError
from opsctl.systems.docker.capped_entrypoint import READY, last_words
from opsctl.systems.engine.capped_container import (
    KEPT_PREFIX,
    CappedSpec,
    ImageFacts,
    NetworkFacts,
    OutputPiece,
    OutputStream,
    ResourceSample,
)
from opsctl.systems.engine.model import Container
from tests.fakes.clock import HandClock

SHOWN = """file /proc/self/status
+Uid:\t65534\t65534\t65534\t65534
+CapEff:\t0000000000000000
+CapBnd:\t0000000000000000
+NoNewPrivs:\t1
file /proc/self/mountinfo
+1 1 0:1 / / ro,relatime - overlay overlay rw
file /proc/net/route
+Iface
file /proc/swaps
+Filename
file /sys/fs/cgroup/memory.max
+{memory}
file /sys/fs/cgroup/cpu.max
+50000 100000
file /sys/fs/cgroup/pids.max
+{processes}
"""


@dataclass(slots=True)
class Script:
    """What a container does once it is let go; until then it shows its caps."""

    says: tuple[OutputPiece, ...] = ()
    exit_code: int = 0
    said: str = ""
    ends: str = "at once"
    """at once, at TERM, at KILL, when asked (a server that breaks), when taken down."""
    memory: int = 0
    """The cap that it sees, if it is another than it was given."""
    silent: bool = False
    """Its gate never says a word."""
    oom_kills: int = 0


@dataclass(slots=True)
class ScriptedChannel:
    script: Script
    spec: CappedSpec
    clock: HandClock
    sent: list[bytes] = field(default_factory=list)
    coming: list[OutputPiece] = field(default_factory=list)
    is_open: bool = True

    def start(self) -> None:
        if not self.script.silent:
            memory = self.script.memory or self.spec.limits.memory_bytes
            processes = self.spec.limits.processes
            shown = SHOWN.format(memory=memory, processes=processes).encode() + READY
            self.coming.append(OutputPiece(OutputStream.OUT, shown))

    def read(self, timeout_s: float) -> tuple[OutputPiece, ...]:
        if self.coming:
            pieces, self.coming = tuple(self.coming), []
            return pieces
        if self._has_ended():
            self.is_open = False
        else:
            self.clock.sleep(timeout_s)
        return ()

    def send(self, data: bytes) -> None:
        self.sent.append(data)
        if data.startswith(b"go "):
            self.coming += self.script.says
        if self._has_ended():
            mark = last_words(self.sent[0].split()[1].decode())
            facts = f"file /run/opsctl/shell-messages\n+{self.script.said}\n"
            facts += f"file /sys/fs/cgroup/memory.events\n+oom_kill {self.script.oom_kills}\n"
            facts += "file /sys/fs/cgroup/cpu.stat\n+usage_usec 250000\n"
            told = f"{self.script.exit_code}\n{facts}".encode()
            self.coming.append(OutputPiece(OutputStream.ERROR, mark + told))

    def close(self) -> None:
        self.is_open = False

    def _has_ended(self) -> bool:
        needed = {"at once": b"go ", "at TERM": b"TERM", "at KILL": b"KILL"}.get(self.script.ends)
        return bool(needed) and any(word.startswith(needed or b"") for word in self.sent)


@dataclass(slots=True)
class ScriptedCappedRunner:
    clock: HandClock = field(default_factory=HandClock)
    known_images: dict[str, ImageFacts] = field(default_factory=dict)
    scripts: dict[str, Script] = field(default_factory=dict)
    """By image; what is not here ends well at once."""
    socket: str = "/run/docker.sock"
    there: dict[str, Container] = field(default_factory=dict)
    specs: dict[str, CappedSpec] = field(default_factory=dict)
    channels: dict[str, ScriptedChannel] = field(default_factory=dict)
    known_networks: dict[str, NetworkFacts] = field(default_factory=dict)
    done: list[str] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    """What `execute` says, one after the other; then 0."""
    is_away: bool = False

    def image(self, name: str) -> ImageFacts | None:
        return self.known_images.get(name)

    def create(self, spec: CappedSpec) -> str:
        if self.is_away:
            what = f"cannot create a test container from {spec.image}"
            raise UnreachableError(what, why="there is no container engine at memory:")
        if spec.image not in self.known_images:
            what = f"cannot create a test container from {spec.image}"
            raise OpsctlError(what, why=f"No such image: {spec.image}")
        self.specs[spec.name] = spec
        image = self.known_images[spec.image].id
        labels = dict(spec.labels)
        self.there[spec.name] = Container(
            spec.name, spec.name, image, spec.image, "created", labels
        )
        self.done.append(f"create {spec.name}")
        return spec.name

    def open(self, container: str, *, stdin: bool = True, output: bool = True) -> ScriptedChannel:
        del stdin, output
        spec = self._present(container)
        if container not in self.channels:
            script = self.scripts.get(spec.image, Script())
            self.channels[container] = ScriptedChannel(script, spec, self.clock)
        channel = self.channels[container]
        channel.is_open = True
        return channel

    def start(self, container: str) -> None:
        self._present(container)
        self.there[container] = replace(self.there[container], state="running")
        self.done.append(f"start {container}")
        if container in self.channels:
            self.channels[container].start()

    def find(self, *labels: str) -> tuple[Container, ...]:
        return tuple(one for one in self.there.values() if _carries(one.labels, labels))

    def inspect(self, container: str) -> Container | None:
        return self.there.get(container)

    def wait(self, container: str, *, timeout_s: float) -> Container | None:
        del timeout_s  # it has ended
        found = self.there.get(container)
        if found is None:
            return None
        channel = self.channels[container]
        code = 137 if channel.script.ends == "when taken down" else channel.script.exit_code
        self.there[container] = replace(found, state="exited", exit_code=code)
        return self.there[container]

    def sample(self, container: str) -> ResourceSample | None:
        self._present(container)
        return ResourceSample(1_000_000, 2.5, 0.5)

    def execute(self, container: str, *command: str) -> int:
        self.done.append(f"execute {container} {command[0]}")
        if self.channels[container].script.ends == "when asked":
            self.there[container] = replace(self.there[container], state="exited")
            return -1
        return self.answers.pop(0) if self.answers else 0

    def logs(self, container: str, *, lines: int = 20) -> str:
        del lines
        return f"{container} said why"

    def kill(self, container: str) -> None:
        self.done.append(f"kill {container}")
        if container in self.channels:
            self.channels[container].is_open = False

    def keep(self, container: str, name: str) -> str:
        self.there[f"{KEPT_PREFIX}{name}"] = replace(
            self.there.pop(container), name=f"{KEPT_PREFIX}{name}"
        )
        return f"{KEPT_PREFIX}{name}"

    def discard(self, container: str) -> None:
        if self.there.pop(container, None):
            self.done.append(f"discard {container}")

    def networks(self, *labels: str) -> tuple[NetworkFacts, ...]:
        known = self.known_networks.values()
        return tuple(one for one in known if _carries(one.labels, labels))

    def create_network(self, name: str, labels: Mapping[str, str]) -> None:
        self.known_networks[name] = NetworkFacts(name, name, labels)

    def remove_network(self, network: str) -> None:
        self.known_networks.pop(network, None)

    def _present(self, container: str) -> CappedSpec:
        if container not in self.there:
            raise OpsctlError(f"cannot find {container}", why="there is no such container")
        return self.specs[container]


def _carries(found: Mapping[str, str], wanted: tuple[str, ...]) -> bool:
    carried = {f"{key}={value}" for key, value in found.items()} | {*found}
    return carried.issuperset(wanted)
