"""The machine we run on: disks, memory, load, listeners, boots and processes."""

import os
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Generic, Protocol, TypeVar

import psutil

from opsctl.errors import OpsctlError, UnreachableError
from opsctl.systems.error_table import ErrorMeaning, meaning_of
from opsctl.systems.user import User, login, machine

DEADLINE_S = 2.0
# A file that is mounted, and always full.
IMAGES = frozenset({"squashfs", "erofs", "iso9660"})
# From here on the kernel hands out ports for one question and its answer.
EPHEMERAL = Path("/proc/sys/net/ipv4/ip_local_port_range")
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
# Places in /proc/PID/stat behind the name, which may hold spaces and brackets.
STATE, STARTED = 0, 19

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Mount:
    path: Path
    device: str
    kind: str
    is_read_only: bool = False


@dataclass(frozen=True, slots=True)
class Usage:
    """What is used of a mount; blocks reserved for root count as used, for the stack cannot."""

    mount: Path
    total_bytes: int
    used_bytes: int
    free_bytes: int
    percent: float
    inodes: int = 0
    """0 where the file system makes them as it needs them."""
    inodes_free: int = 0

    @property
    def inode_percent(self) -> float:
        return 100 * (self.inodes - self.inodes_free) / self.inodes if self.inodes else 0.0


@dataclass(frozen=True, slots=True)
class HostMemory:
    total_bytes: int
    available_bytes: int
    swap_total_bytes: int = 0
    swap_used_bytes: int = 0

    @property
    def percent(self) -> float:
        used = self.total_bytes - self.available_bytes
        return 100 * used / self.total_bytes if self.total_bytes else 0.0


@dataclass(frozen=True, slots=True)
class Load:
    one_minute: float
    five_minutes: float
    fifteen_minutes: float


@dataclass(frozen=True, slots=True)
class Listener:
    """A listening TCP port; only root sees the process of another user."""

    address: str
    port: int
    pid: int | None = None
    program: str = ""


@dataclass(frozen=True, slots=True)
class Connection:
    """A TCP connection that somebody opened to a port of this machine, or that we opened."""

    address: str
    port: int
    remote: str
    program: str = ""


@dataclass(frozen=True, slots=True)
class Boot:
    id: str
    at: datetime


class Host(Protocol):
    def name(self) -> str: ...

    def user(self) -> User: ...

    def boot(self) -> Boot: ...

    def cpus(self) -> int:
        """Count the processors that this process may use."""
        ...

    def load(self) -> Load: ...

    def memory(self) -> HostMemory: ...

    def mounts(self) -> tuple[Mount, ...]:
        """List the disks of this machine, each once, and always `/`."""
        ...

    def mounted(self) -> frozenset[Path]:
        """Name every place where anything is mounted; asks no file system."""
        ...

    def usage(self, path: Path) -> Usage:
        """Measure the mount that `path` is on."""
        ...

    def listeners(self) -> tuple[Listener, ...]: ...

    def datagrams(self) -> tuple[Listener, ...]:
        """List the UDP ports to which anyone may send; those of one question's length left out."""
        ...

    def connections(self) -> tuple[Connection, ...]:
        """List the TCP connections that are open now; those of containers are not seen."""
        ...

    def addresses(self) -> Mapping[str, tuple[str, ...]]:
        """List the addresses of each network interface."""
        ...

    def started(self, pid: int) -> float | None:
        """Say when a living process began, in seconds since boot; None if there is none.

        With the boot's id it tells a process from a later one of the same number.
        """
        ...


_NOT_OURS = ErrorMeaning(hint="Run as root, or as the user it belongs to.")
BY_CLASS: dict[type[Exception], ErrorMeaning] = {
    psutil.TimeoutExpired: ErrorMeaning(UnreachableError),
    psutil.AccessDenied: _NOT_OURS,
    psutil.ZombieProcess: ErrorMeaning(),
    psutil.NoSuchProcess: ErrorMeaning(),
    psutil.Error: ErrorMeaning(),
    FileNotFoundError: ErrorMeaning(hint="Is it mounted, and spelled correctly?"),
    PermissionError: _NOT_OURS,
    OSError: ErrorMeaning(),
}


def translate(error: Exception, what: str) -> OpsctlError:
    meaning = meaning_of(type(error), BY_CLASS) or ErrorMeaning()
    why = error.strerror if isinstance(error, OSError) else str(error)
    return meaning.error(what, why=why or "", hint=meaning.hint)


@contextmanager
def _telling(what: str) -> Iterator[None]:
    try:
        yield
    except (psutil.Error, OSError) as error:
        raise translate(error, what) from error


def disks(found: tuple[Mount, ...]) -> tuple[Mount, ...]:
    """Keep each device once, at its shortest path: the rest are bind mounts of it."""
    first: dict[str, Mount] = {}
    for mount in sorted(found, key=lambda mount: len(str(mount.path))):
        if mount.kind not in IMAGES:
            first.setdefault(mount.device, mount)
    root = Path("/")
    if all(mount.path != root for mount in first.values()):
        first[""] = Mount(root, "", "")
    return tuple(sorted(first.values(), key=lambda mount: mount.path))


def read_started(stat: str, ticks_per_s: int) -> float | None:
    """Read /proc/PID/stat; a zombie has ended already."""
    fields = stat.rpartition(")")[2].split()
    return None if fields[STATE] in {"Z", "X"} else int(fields[STARTED]) / ticks_per_s


def measure(path: Path) -> Usage:
    usage, blocks = psutil.disk_usage(str(path)), os.statvfs(path)
    return Usage(
        mount=path,
        total_bytes=usage.total,
        used_bytes=usage.used,
        free_bytes=usage.free,
        percent=usage.percent,
        inodes=blocks.f_files,
        inodes_free=blocks.f_favail,
    )


class PsutilHost:
    """The machine that opsctl runs on."""

    def __init__(
        self,
        environment: Mapping[str, str] | None = None,
        *,
        deadline_s: float = DEADLINE_S,
        measure: Callable[[Path], Usage] = measure,
    ) -> None:
        self._environment = os.environ if environment is None else environment
        self._deadline_s = deadline_s
        self._measure = measure
        self._asked: dict[Path, _Question[Usage]] = {}

    def name(self) -> str:
        return machine()

    def user(self) -> User:
        return login(self._environment)

    def boot(self) -> Boot:
        with _telling("cannot read the boot time"):
            at = datetime.fromtimestamp(psutil.boot_time(), UTC)
            return Boot(BOOT_ID.read_text().strip(), at)

    def cpus(self) -> int:
        return len(os.sched_getaffinity(0))

    def load(self) -> Load:
        return Load(*os.getloadavg())

    def memory(self) -> HostMemory:
        with _telling("cannot measure the memory"):
            memory, swap = psutil.virtual_memory(), psutil.swap_memory()
        return HostMemory(memory.total, memory.available, swap.total, swap.used)

    def mounts(self) -> tuple[Mount, ...]:
        with _telling("cannot list the mounts"):
            parts = psutil.disk_partitions(all=False)
        found = (
            Mount(Path(part.mountpoint), part.device, part.fstype, "ro" in part.opts.split(","))
            for part in parts
        )
        return disks(tuple(found))

    def mounted(self) -> frozenset[Path]:
        with _telling("cannot list the mounts"):
            parts = psutil.disk_partitions(all=True)
        return frozenset(Path(part.mountpoint) for part in parts)

    def usage(self, path: Path) -> Usage:
        question = self._asked.get(path)
        # One that hangs is not asked again: each question would leave a thread behind.
        if question is None or question.is_answered_within(0):
            question = self._asked[path] = _Question(lambda: self._measure(path))
        if not question.is_answered_within(self._deadline_s):
            what = f"cannot measure {path} within {self._deadline_s:g} s"
            hint = "Is it on a network disk whose server is unreachable? Try: umount -l"
            raise UnreachableError(what, why="its file system hangs", hint=hint)
        with _telling(f"cannot measure {path}"):
            return question.answer()

    def listeners(self) -> tuple[Listener, ...]:
        with _telling("cannot list the listening ports"):
            found = psutil.net_connections(kind="tcp")
        return tuple(
            Listener(entry.laddr.ip, entry.laddr.port, entry.pid, _program(entry.pid))
            for entry in found
            if entry.status == psutil.CONN_LISTEN and entry.laddr
        )

    def datagrams(self) -> tuple[Listener, ...]:
        with _telling("cannot list the listening ports"):
            found = psutil.net_connections(kind="udp")
            lowest = int(EPHEMERAL.read_text().split()[0])
        return tuple(
            Listener(entry.laddr.ip, entry.laddr.port, entry.pid, _program(entry.pid))
            for entry in found
            if entry.laddr and not entry.raddr and entry.laddr.port < lowest
        )

    def connections(self) -> tuple[Connection, ...]:
        with _telling("cannot list the open connections"):
            found = psutil.net_connections(kind="tcp")
        return tuple(
            Connection(entry.laddr.ip, entry.laddr.port, entry.raddr.ip, _program(entry.pid))
            for entry in found
            if entry.status == psutil.CONN_ESTABLISHED and entry.laddr and entry.raddr
        )

    def addresses(self) -> Mapping[str, tuple[str, ...]]:
        with _telling("cannot list the network interfaces"):
            found = psutil.net_if_addrs()
        kinds = {socket.AF_INET, socket.AF_INET6}
        return {
            name: tuple(one.address.partition("%")[0] for one in entries if one.family in kinds)
            for name, entries in found.items()
        }

    def started(self, pid: int) -> float | None:
        try:
            stat = Path(f"/proc/{pid}/stat").read_text(errors="replace")
        except (FileNotFoundError, ProcessLookupError):
            return None
        return read_started(stat, os.sysconf("SC_CLK_TCK"))


def _program(pid: int | None) -> str:
    if pid is None:
        return ""
    try:
        return psutil.Process(pid).name()
    except psutil.Error:
        return ""


class _Question(Generic[T]):
    """A call that may hang, in a thread that the program does not wait for."""

    def __init__(self, ask: Callable[[], T]) -> None:
        self._ask = ask
        self._found: T | None = None
        self._error: Exception | None = None
        self._done = threading.Event()
        threading.Thread(target=self._run, daemon=True).start()

    def is_answered_within(self, seconds: float) -> bool:
        return self._done.wait(seconds)

    def answer(self) -> T:
        """Return the result or raise the error; only once it is answered."""
        if self._error is not None:
            raise self._error
        return self._found  # type: ignore[return-value]  # set whenever there is no error

    def _run(self) -> None:
        try:
            self._found = self._ask()
        except (psutil.Error, OSError) as error:
            self._error = error
        finally:
            self._done.set()
