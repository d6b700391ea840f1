"""Two machines in network namespaces of their own, with a slow and lossy line between them."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Protocol

import pytest

from tests.engines import carrier
from tests.engines.daemon import Daemon
from tests.engines.require import REQUIRED_VARIABLE, give_up, required_engines
from tests.engines.server_folders import ServerFolders

HERE, THERE = "10.99.0.1", "10.99.0.2"
_DEVICE = carrier.DEVICE
_COMMAND_S = 60
_TRY_NETEM = "ip link set lo up && tc qdisc add dev lo root netem delay 1ms"


@dataclass(frozen=True, slots=True)
class Machine:
    """A namespace, for as long as its holder lives."""

    address: str
    holder: Daemon

    @property
    def within(self) -> tuple[str, ...]:
        """What to put before a command that is to run there."""
        return ("nsenter", f"--net=/proc/{self.holder.pid}/ns/net", "--")

    def run(self, *words: str) -> str:
        argv = [*self.within, *words]
        done = subprocess.run(argv, check=True, capture_output=True, text=True, timeout=_COMMAND_S)
        return done.stdout


@dataclass(frozen=True, slots=True)
class Line:
    here: Machine
    there: Machine


class LayLine(Protocol):
    def __call__(self, *, delay_s: float = 0.0, loss: float = 0.0) -> Line:
        """Each packet is so late, in either direction, and this share of them is lost."""
        ...


@pytest.fixture(scope="session")
def namespaces() -> None:
    """Ask for root with the means to make and enter namespaces."""
    if sys.platform != "linux" or os.geteuid() != 0:
        give_up("root", "not running as root on Linux")
    for program in ("unshare", "nsenter", "ip"):
        if _found(program) is None:
            give_up("root", f"no {program} in PATH; scripts/ci/testbed up")
    if _attempt("unshare", "--net", "true"):
        give_up("root", "this user may not make namespaces")


@pytest.fixture(scope="session")
def netem(namespaces: None) -> None:  # noqa: ARG001 - a guard
    """Ask for `tc netem`; whether a kernel has it is not ours to choose."""
    if refusal := _lacks_netem():
        give_up("netem", refusal)


@cache
def _lacks_netem() -> str:
    """Say why there is none; empty where there is."""
    if _found("tc") is None or _found("unshare") is None:
        return "no tc in PATH; scripts/ci/testbed up"
    refusal = _attempt("unshare", "--net", "sh", "-c", _TRY_NETEM)
    return f"this kernel has no sch_netem: {refusal}" if refusal else ""


@pytest.fixture(scope="session")
def tunnels(namespaces: None) -> None:  # noqa: ARG001 - a guard
    if not Path("/dev/net/tun").exists():
        give_up("root", "the kernel has no /dev/net/tun")


@pytest.fixture
def netem_line(netem: None, server_folders: ServerFolders) -> Iterator[LayLine]:  # noqa: ARG001 - a guard
    """A line whose packets `tc netem` delays and drops."""
    yield from _lines(server_folders("line"), _with_netem)


@pytest.fixture
def carried_line(tunnels: None, server_folders: ServerFolders) -> Iterator[LayLine]:  # noqa: ARG001 - a guard
    """A line whose packets are delayed and dropped by hand."""
    yield from _lines(server_folders("line"), _by_hand)


@pytest.fixture
def slow_network(request: pytest.FixtureRequest) -> LayLine:
    """Lay the line by `tc netem` where the kernel has it or it is required, else by hand."""
    required = required_engines(os.environ.get(REQUIRED_VARIABLE, ""))
    means = "netem" if "netem" in required or not _lacks_netem() else "carried"
    lay: LayLine = request.getfixturevalue(f"{means}_line")
    return lay


Connect = Callable[[Path, Machine, Machine, float, float], Sequence[Daemon]]


def _lines(home: Path, connect: Connect) -> Iterator[LayLine]:
    running: list[Daemon] = []

    def lay(*, delay_s: float = 0.0, loss: float = 0.0) -> Line:
        here, there = (Machine(address, _holder(home, address)) for address in (HERE, THERE))
        running.extend((here.holder, there.holder))
        running.extend(connect(home, here, there, delay_s, loss))
        for machine, other in ((here, there), (there, here)):
            machine.run("ip", "link", "set", "lo", "up")
            machine.run("ip", "addr", "add", machine.address, "peer", other.address, "dev", _DEVICE)
            machine.run("ip", "link", "set", _DEVICE, "up")
        return Line(here, there)

    yield lay
    for daemon in reversed(running):
        daemon.stop()


def _holder(home: Path, name: str) -> Daemon:
    """Start a process that does nothing in a namespace of its own, and keeps it alive."""
    argv = ["unshare", "--net", "sleep", "infinity"]
    daemon = _daemon(argv, home / f"{name}.log")
    ours = Path("/proc/self/ns/net").readlink()
    daemon.start(lambda: Path(f"/proc/{daemon.pid}/ns/net").readlink() != ours)
    return daemon


def _with_netem(
    home: Path,  # noqa: ARG001 - nothing is logged
    here: Machine,
    there: Machine,
    delay_s: float,
    loss: float,
) -> Sequence[Daemon]:
    pair = ("type", "veth", "peer", "name", _DEVICE, "netns", str(there.holder.pid))
    here.run("ip", "link", "add", "name", _DEVICE, *pair)
    late = ("netem", "delay", f"{delay_s * 1000:g}ms", "loss", f"{loss * 100:g}%")
    for machine in (here, there):
        machine.run("tc", "qdisc", "add", "dev", _DEVICE, "root", *late)
    return ()


def _by_hand(
    home: Path, here: Machine, there: Machine, delay_s: float, loss: float
) -> Sequence[Daemon]:
    holders = (str(here.holder.pid), str(there.holder.pid))
    argv = [sys.executable, carrier.__file__, *holders, str(delay_s), str(loss)]
    daemon = _daemon(argv, home / "carrier.log")
    show = ("ip", "link", "show", _DEVICE)
    daemon.start(lambda: not any(_attempt(*one.within, *show) for one in (here, there)))
    return (daemon,)


def _daemon(argv: Sequence[str], log: Path) -> Daemon:
    return Daemon(argv, log=log, stop_by=signal.SIGKILL, die_by=signal.SIGKILL)


def _found(program: str) -> str | None:
    # Debian keeps some where only root looks.
    return shutil.which(program, path=f"{os.environ['PATH']}:/usr/sbin:/sbin")


def _attempt(*argv: str) -> str:
    """Say why a command failed; empty where it did not."""
    done = subprocess.run(argv, check=False, capture_output=True, text=True, timeout=_COMMAND_S)
    return (done.stderr.strip() or "it failed") if done.returncode else ""
