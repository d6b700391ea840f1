"""A capped container for a test: its specification, its output, and the engine that runs it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path
from typing import Protocol

from opsctl.systems.engine.model import Container

TEMPORARY = "/tmp"  # noqa: S108 - of the container, and in memory
NO_NETWORK = "none"
LEFT_LINES = 20
# How a container is named that was kept on purpose.
KEPT_PREFIX = "kept-"


@dataclass(frozen=True, slots=True)
class CappedLimits:
    """The most that one container may use; swap is part of the memory."""

    cpus: float
    memory_bytes: int
    processes: int
    tmp_bytes: int
    """Of each writable folder, which counts as memory."""


@dataclass(frozen=True, slots=True)
class BindMount:
    """A folder or file of the host that the container sees."""

    source: Path
    target: str
    writable: bool = False


@dataclass(frozen=True, slots=True)
class CappedSpec:
    name: str
    image: str
    limits: CappedLimits
    user: str
    command: tuple[str, ...] = field(repr=False)
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    workdir: str = ""
    binds: tuple[BindMount, ...] = ()
    writable: tuple[str, ...] = (TEMPORARY,)
    network: str = NO_NETWORK
    alias: str = ""
    """Its name in the network."""
    labels: Mapping[str, str] = field(default_factory=dict)
    keeps_output: bool = False


class OutputStream(IntEnum):
    OUT = 1
    ERROR = 2


@dataclass(frozen=True, slots=True)
class OutputPiece:
    stream: OutputStream
    data: bytes


class ContainerChannel(Protocol):
    """One connection to the input and output of a container."""

    @property
    def is_open(self) -> bool:
        """Whether there may be more: the container runs, or has unread output."""

    def read(self, timeout_s: float) -> tuple[OutputPiece, ...]:
        """Return what arrived, or nothing if nothing arrives within this time."""

    def send(self, data: bytes) -> None:
        """Write to its input; one that no longer reads is fine."""

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """The settings that an image carries."""

    id: str
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    workdir: str = ""
    volumes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ResourceSample:
    """What a running container has used so far; None where this kernel does not report it."""

    peak_memory_bytes: int | None
    cpu_s: float
    throttled_s: float


@dataclass(frozen=True, slots=True)
class NetworkFacts:
    id: str
    name: str
    labels: Mapping[str, str] = field(default_factory=dict)


class CappedRunner(Protocol):
    @property
    def socket(self) -> str:
        """Where the engine's socket is on this machine; empty for one that is elsewhere."""

    def image(self, name: str) -> ImageFacts | None: ...

    def create(self, spec: CappedSpec) -> str:
        """Create it and return its id; nothing runs yet."""

    def open(self, container: str, *, stdin: bool = True, output: bool = True) -> ContainerChannel:
        """Connect to its standard input and its output, best before it starts."""

    def start(self, container: str) -> None: ...

    def find(self, *labels: str) -> tuple[Container, ...]: ...

    def inspect(self, container: str) -> Container | None: ...

    def wait(self, container: str, *, timeout_s: float) -> Container | None:
        """Wait until it has ended; None if it was removed."""

    def sample(self, container: str) -> ResourceSample | None:
        """Measure it at once; None when it no longer runs."""

    def execute(self, container: str, *command: str) -> int:
        """Run a command in it and return its exit code; -1 when it no longer runs."""

    def logs(self, container: str, *, lines: int = LEFT_LINES) -> str: ...

    def kill(self, container: str) -> None: ...

    def keep(self, container: str, name: str) -> str:
        """Keep it for inspection, and rename it."""

    def discard(self, container: str) -> None:
        """Remove it by force, with its anonymous volumes; do nothing if it does not exist."""

    def networks(self, *labels: str) -> tuple[NetworkFacts, ...]: ...

    def create_network(self, name: str, labels: Mapping[str, str]) -> None:
        """Create one without a route to the outside."""

    def remove_network(self, network: str) -> None: ...
