"""A machine with the figures of your choice."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from opsctl.errors import OpsctlError, UnreachableError
from opsctl.systems.host import Boot, Connection, HostMemory, Listener, Load, Mount, Usage
from opsctl.systems.user import User

GIB = 1024**3


@dataclass(slots=True)
class SetHost:
    usages: dict[Path, Usage] = field(default_factory=dict)
    hanging: set[Path] = field(default_factory=set)
    """Mounts that never say how full they are."""
    processes: dict[int, float] = field(default_factory=dict)
    """Pid to when it began, in seconds since boot."""
    taken: tuple[Listener, ...] = ()
    heard: tuple[Listener, ...] = ()
    open_now: tuple[Connection, ...] = ()
    interfaces: dict[str, tuple[str, ...]] = field(default_factory=lambda: {"lo": ("127.0.0.1",)})
    whom: User = field(default_factory=lambda: User("operator", 1000))
    boots: Boot = field(default_factory=lambda: Boot("boot-1", datetime(2024, 1, 1, tzinfo=UTC)))
    loads: Load = field(default_factory=lambda: Load(0.1, 0.1, 0.1))
    memories: HostMemory = field(default_factory=lambda: HostMemory(4 * GIB, 3 * GIB))
    processors: int = 2
    hostname: str = "host"

    def fill(self, mount: Path, percent: float, *, total_bytes: int = 100 * GIB) -> None:
        used = round(total_bytes * percent / 100)
        self.usages[mount] = Usage(mount, total_bytes, used, total_bytes - used, percent)

    def name(self) -> str:
        return self.hostname

    def user(self) -> User:
        return self.whom

    def boot(self) -> Boot:
        return self.boots

    def cpus(self) -> int:
        return self.processors

    def load(self) -> Load:
        return self.loads

    def memory(self) -> HostMemory:
        return self.memories

    def mounts(self) -> tuple[Mount, ...]:
        paths = sorted({Path("/"), *self.usages, *self.hanging})
        return tuple(Mount(path, f"/dev/{number}", "ext4") for number, path in enumerate(paths))

    def mounted(self) -> frozenset[Path]:
        return frozenset(mount.path for mount in self.mounts())

    def usage(self, path: Path) -> Usage:
        if path in self.hanging:
            what = f"cannot measure {path} within 2 s"
            raise UnreachableError(what, why="its file system hangs")
        if path not in self.usages:
            raise OpsctlError(f"cannot measure {path}", why="No such file or directory")
        return self.usages[path]

    def listeners(self) -> tuple[Listener, ...]:
        return self.taken

    def datagrams(self) -> tuple[Listener, ...]:
        return self.heard

    def connections(self) -> tuple[Connection, ...]:
        return self.open_now

    def addresses(self) -> dict[str, tuple[str, ...]]:
        return self.interfaces

    def started(self, pid: int) -> float | None:
        return self.processes.get(pid)
