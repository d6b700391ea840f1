"""ssh: one connection that forwards a remote engine's socket, and ends when we do."""

import json
import os
import selectors
import shlex
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from opsctl.addresses import is_loopback
from opsctl.errors import BusyError, OpsctlError, SettingsError, UnreachableError
from opsctl.systems.clock import Clock
from opsctl.systems.engine.locks import (
    GRACE_S,
    POLL_S,
    Claim,
    busy,
    lock_path,
    manual_lock_path,
    read_claim,
)
from opsctl.systems.host import Usage
from opsctl.systems.network.tailnet import Peer, Tailnet
from opsctl.systems.process.run import INHERITED, Command, Processes, missing_program

CONNECT_S = 15.0
END_S = 5.0
ASK_S = 20.0
BUSY = 75
READY = "ready"
ENGINE_SOCKET = "/var/run/docker.sock"
# Nobody is asked, and a connection that died is noticed.
QUIET = (
    *("-T", "-o", "BatchMode=yes", "-o", f"ConnectTimeout={CONNECT_S:.0f}"),
    *("-o", "ServerAliveInterval=5", "-o", "ServerAliveCountMax=3"),
    *("-o", "ExitOnForwardFailure=yes", "-o", "StreamLocalBindUnlink=yes"),
)
# Ends with its input: that is, with us, however we end.
WAITING = f"echo {READY}; exec cat >/dev/null"
LOCKING = (
    'umask 0; [ -e "$1" ] || : >>"$1"; exec 9<>"$1"; '
    f'flock -n 9 || {{ cat "$1"; exit {BUSY}; }}; '
    f'read -r who; printf %s "$who" >"$1"; echo {READY}; cat >/dev/null; : >"$1"'
)
READING = '[ -L "$1" ] && { echo "it is a symbolic link" >&2; exit 1; }; [ ! -e "$1" ] || cat "$1"'
# Written over the old record and not emptied first: a reader takes the first line.
WRITING = (
    'umask 0; [ -L "$1" ] && { echo "it is a symbolic link" >&2; exit 1; }; '
    '[ -e "$1" ] || : >>"$1" || exit 1; '
    'if [ -n "$2" ]; then printf "%s\\n" "$2" 1<>"$1"; else : >"$1"; fi'
)
COLUMNS = 6


@dataclass(frozen=True, slots=True)
class Remote:
    """The destination of ssh: as given, and the verified address."""

    host: str
    user: str = ""
    port: int | None = None
    socket: str = ENGINE_SOCKET
    """Where the engine listens on the remote machine."""
    peer: Peer | None = None
    """None on loopback, which needs no proof."""
    bind: str = ""
    """Our own address in the tailnet: from no other does the connection start."""

    @property
    def options(self) -> tuple[str, ...]:
        """All options that decide where the connection goes; the user's own settings do not."""
        words = list(QUIET)
        if self.port:
            words += ["-p", str(self.port)]
        if self.user:
            words += ["-l", self.user]
        if self.peer is not None:
            words += [
                *("-o", f"HostName={self.peer.address}", "-o", f"HostKeyAlias={self.peer.name}"),
                *("-o", "ProxyJump=none", "-o", "ProxyCommand=none", "-o", "ControlPath=none"),
            ]
        if self.bind:
            words += ["-o", f"BindAddress={self.bind}"]
        return tuple(words)

    def running(self, *words: str, forward: Path | None = None) -> tuple[str, ...]:
        """Return the command line that runs a program on the remote machine."""
        way = ("-L", f"{forward}:{self.socket}") if forward else ()
        return ("ssh", *self.options, *way, "--", self.host, shlex.join(words))


def read_address(address: str) -> Remote:
    """Read ssh://user@host:port/socket; a host that looks like an option is none."""
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    host, user = parts.hostname or "", parts.username or ""
    if parts.scheme != "ssh" or not host or host.startswith("-") or user.startswith("-"):
        raise SettingsError(
            f"{address!r} is not an engine address", hint="Write ssh://user@host, or :port after."
        )
    return Remote(host, user, port, parts.path if len(parts.path) > 1 else ENGINE_SOCKET)


def proved(remote: Remote, tailnet: Tailnet, processes: Processes) -> Remote:
    """Ask ssh for its real destination, and verify that it is a machine of the tailnet."""
    asked = Command(("ssh", "-G", *remote.options, "--", remote.host), timeout_s=ASK_S)
    output = processes.run(asked, check=True).stdout
    real = next(
        (line.partition(" ")[2] for line in output.splitlines() if line.startswith("hostname ")), ""
    )
    if is_loopback(real):
        return remote
    peer = tailnet.prove(real)
    kind = ":" in peer.address
    own = sorted(one for one in tailnet.own_addresses() if (":" in one) is kind)
    return replace(remote, peer=peer, bind=own[0] if own else "")


class Tunnel:
    """A remote engine's socket, forwarded to this machine; open inside a `with` block."""

    def __init__(
        self, address: str, folder: Path, *, tailnet: Tailnet, processes: Processes
    ) -> None:
        self.socket = folder / f"engine-{os.getpid()}.sock"
        self._named = address
        self._tailnet = tailnet
        self.processes = processes
        self.remote = read_address(address)
        self._child: _Child | None = None

    @property
    def address(self) -> str:
        return f"unix://{self.socket}"

    def __enter__(self) -> Self:
        self.remote = proved(self.remote, self._tailnet, self.processes)
        argv = self.remote.running("sh", "-c", WAITING, forward=self.socket)
        self._child = _Child(argv, self._named)
        try:
            self._child.hear(READY)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self._child is not None:
            self._child.end()
        self.socket.unlink(missing_ok=True)

    def usage(self, root: Path) -> Usage | None:
        """Measure a remote disk; None if the output of its `df` cannot be read."""
        argv = self.remote.running("df", "-P", "-B1", "--", str(root))
        finished = self.processes.run(Command(argv, timeout_s=ASK_S))
        return read_df(finished.stdout) if not finished.exit_code else None


def read_df(output: str) -> Usage | None:
    """Read `df -P -B1` of one path; blocks reserved for root count as used."""
    lines = output.splitlines()
    fields = lines[-1].split() if len(lines) > 1 else []
    if len(fields) < COLUMNS or not all(field.isdigit() for field in fields[1:4]):
        return None
    total, free = int(fields[1]), int(fields[3])
    percent = 100 * (total - free) / total if total else 0.0
    return Usage(Path(fields[5]), total, total - free, free, percent)


class SshLocks:
    """The same lock files as `HostLocks`, on the engine's machine, over ssh."""

    def __init__(self, tunnel: Tunnel, directory: Path, clock: Clock) -> None:
        self._tunnel = tunnel
        self._directory = directory
        self._clock = clock

    @contextmanager
    def hold(self, project: str, engine: str, claim: Claim, *, wait_s: float) -> Iterator[None]:
        path = lock_path(self._directory, project, engine)
        end = self._clock.steady() + max(wait_s, GRACE_S)
        while (child := self._tried(path, claim, project, wait_s=wait_s, end=end)) is None:
            self._clock.sleep(POLL_S)
        try:
            yield
        finally:
            child.end()

    def holder(self, project: str, engine: str) -> Claim | None:
        path = str(lock_path(self._directory, project, engine))
        script = f'[ -e "$1" ] || exit 0; flock -n -s "$1" true || {{ cat "$1"; exit {BUSY}; }}'
        argv = self._tunnel.remote.running("sh", "-c", script, "sh", path)
        finished = self._tunnel.processes.run(Command(argv, timeout_s=ASK_S))
        return read_claim(finished.stdout) if finished.exit_code == BUSY else None

    def manual_lock(self, project: str, engine: str) -> str:
        path = manual_lock_path(self._directory, project, engine)
        return self._run_on_lock(READING, path)

    def set_manual_lock(self, project: str, engine: str, record: str) -> None:
        path = manual_lock_path(self._directory, project, engine)
        self._run_on_lock(WRITING, path, record.rstrip("\n"))

    def _run_on_lock(self, script: str, path: Path, *words: str) -> str:
        argv = self._tunnel.remote.running("sh", "-c", script, "sh", str(path), *words)
        finished = self._tunnel.processes.run(Command(argv, timeout_s=ASK_S))
        if finished.exit_code:
            hint = "Set deploy.lock_dir to a directory there that all deployers may write to."
            raise OpsctlError(f"cannot use the lock {path}", why=finished.complaint, hint=hint)
        return finished.stdout

    def _tried(
        self, path: Path, claim: Claim, project: str, *, wait_s: float, end: float
    ) -> "_Child | None":
        argv = self._tunnel.remote.running("sh", "-c", LOCKING, "sh", str(path))
        child = _Child(argv, f"the lock {path}")
        try:
            child.say(json.dumps(asdict(claim)))
            child.hear(READY)
        except BusyError as error:
            child.end()
            if self._clock.steady() >= end:
                held = read_claim(error.why)
                raise busy(project, held, path, wait_s=wait_s) from error
            return None
        except BaseException:
            child.end()
            raise
        return child


class _Child:
    """A remote program that runs as long as its input is open."""

    def __init__(self, argv: tuple[str, ...], name: str) -> None:
        self._name = name
        env = {key: os.environ[key] for key in INHERITED & set(os.environ)}
        try:
            self._process = subprocess.Popen(  # noqa: S603 - an argument list, never a shell
                argv,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=env,
                start_new_session=True,
            )
        except FileNotFoundError as error:
            raise missing_program(Command(argv)) from error

    def say(self, line: str) -> None:
        if self._process.stdin is not None:
            with suppress(BrokenPipeError):
                self._process.stdin.write(f"{line}\n".encode())
                self._process.stdin.flush()

    def hear(self, word: str) -> None:
        """Wait for one line; what else comes is why it failed."""
        output = self._line()
        if output == word:
            return
        code = self._gone()
        if code == BUSY:
            raise BusyError("it is held", why=output)
        why = self._complaint() or output or f"ssh ended with exit code {code}"
        raise UnreachableError(f"cannot reach {self._name}", why=why, hint="Try it by hand: ssh")

    def end(self) -> None:
        """Close its input, and wait until it has ended."""
        if self._process.stdin is not None:
            with suppress(OSError):
                self._process.stdin.close()
        try:
            self._process.wait(END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(END_S)
        for pipe in (self._process.stdout, self._process.stderr):
            if pipe is not None:
                pipe.close()

    def _line(self) -> str:
        out = self._process.stdout
        if out is None:
            return ""
        with selectors.DefaultSelector() as selector:
            selector.register(out, selectors.EVENT_READ)
            if not selector.select(CONNECT_S + ASK_S):
                self.end()
                raise UnreachableError(f"cannot reach {self._name}", why="it did not answer")
        return out.readline().decode(errors="replace").strip()

    def _gone(self) -> int | None:
        with suppress(subprocess.TimeoutExpired):
            return self._process.wait(END_S)
        return None

    def _complaint(self) -> str:
        if self._process.poll() is None or self._process.stderr is None:
            return ""
        return self._process.stderr.read().decode(errors="replace").strip()[-500:]
