"""Other programs: started as argument lists, bounded in time and memory, ended with their group."""

import contextlib
import os
import selectors
import shlex
import signal
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Protocol, Self

from opsctl.errors import OpsctlError, UnreachableError
from opsctl.systems.clock import Clock
from opsctl.systems.process.foreground import INTERRUPTIONS, run_in_foreground
from opsctl.systems.process.output import Head, Line, Lines, Sink, Tail, redact

# Enough for any rendered project or list of files, and far from filling a small server.
OUTPUT_LIMIT_BYTES = 16 * 1024 * 1024
SHOWN_CHARACTERS = 2_000
SHOWN_ARGUMENTS = 160
# How long a program that has ended may keep its pipes open through something it left behind.
LINGER_S = 1.0
REAP_S = 5.0
READ_BYTES = 65_536
# A deadline may be never; what the kernel waits for may not.
LONGEST_WAIT_S = 60.0

# Nothing else of our environment reaches a child: no GIT_DIR, no COMPOSE_FILE, no password.
INHERITED = frozenset(
    {"PATH", "HOME", "USER", "LOGNAME", "SUDO_UID", "TMPDIR", "TZ", "LANG", "LC_ALL", "LC_CTYPE"}
    | {"XDG_CONFIG_HOME", "XDG_RUNTIME_DIR", "DOCKER_CONFIG", "SSH_AUTH_SOCK"}
    | {"HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"}
    | {"SSL_CERT_FILE", "SSL_CERT_DIR"}
)

INSTALL = {
    "docker": "Install Docker Engine and its compose plugin: https://docs.docker.com/engine/install/",
    "git": "Install it: apt-get install git",
    "psql": "Install it: apt-get install postgresql-client",
    "ssh": "Install it: apt-get install openssh-client",
    "tailscale": "Install it: https://tailscale.com/download",
}


@dataclass(frozen=True, slots=True, repr=False)
class Command:
    """One program to run; `env` is added to the few variables a child inherits."""

    argv: tuple[str, ...]
    cwd: Path | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    input: bytes | None = None
    timeout_s: float = 60.0
    grace_s: float = 5.0
    secrets: tuple[str, ...] = ()
    late: type[OpsctlError] = UnreachableError
    """The error to raise when the time is up."""

    def __repr__(self) -> str:
        return f"Command({self.shown!r}, env={sorted(self.env)})"

    @property
    def shown(self) -> str:
        """The command line for people: no secret in it, and not too long."""
        line = shlex.join(redact(word, self.secrets) for word in self.argv)
        return line if len(line) <= SHOWN_ARGUMENTS else line[: SHOWN_ARGUMENTS - 1] + "…"


@dataclass(frozen=True, slots=True)
class Finished:
    """How a program ended; a negative exit code is the signal that ended it."""

    command: Command
    exit_code: int
    out: bytes = field(default=b"", repr=False)
    err: bytes = field(default=b"", repr=False)
    duration_s: float = 0.0
    is_cut: bool = False
    """There was more output than we keep."""

    @property
    def stdout(self) -> str:
        return self.out.decode(errors="replace")

    @property
    def stderr(self) -> str:
        return self.err.decode(errors="replace")

    @property
    def complaint(self) -> str:
        """The end of its output, for people: stderr, or else stdout, with secrets masked."""
        error_text = self.stderr.strip() or self.stdout.strip()
        # Redacted before it is cut: half a secret is one too.
        return redact(error_text, self.command.secrets)[-SHOWN_CHARACTERS:].strip()

    def require(self) -> Self:
        """Return itself if the program succeeded; raise otherwise."""
        if self.exit_code:
            raise OpsctlError(f"{self.command.shown} failed", why=self._reason())
        if self.is_cut:
            why = f"it printed more than {OUTPUT_LIMIT_BYTES // 1024 // 1024} MiB"
            raise OpsctlError(f"cannot read the output of {self.command.shown}", why=why)
        return self

    def _reason(self) -> str:
        ended = f"exit code {self.exit_code}"
        if self.exit_code < 0:
            ended = f"ended by {_signal_name(-self.exit_code)}"
        return f"{ended}: {self.complaint}" if self.complaint else ended


class Processes(Protocol):
    def run(self, command: Command, *, check: bool = False) -> Finished:
        """Run to the end; a non-zero exit is a value unless `check`."""
        ...

    def stream(self, command: Command, on_line: Callable[[Line], None]) -> Finished:
        """Pass on each line as it arrives, secrets masked; only the end of the output is kept."""
        ...

    def attach(self, command: Command) -> int:
        """Run it on our own terminal and streams, without a time limit; return its exit code.

        Signals are for it alone: 128 and the number of the signal that ended it.
        """
        ...


def missing_program(command: Command) -> OpsctlError:
    program = command.argv[0]
    hint = INSTALL.get(Path(program).name, f"Install {program}, or put it on the PATH.")
    return OpsctlError(f"cannot run {program}", why="there is no such program", hint=hint)


def out_of_time(command: Command, complaint: str = "") -> OpsctlError:
    what = f"{command.shown} did not finish within {command.timeout_s:g} s"
    return command.late(what, why=complaint, hint="It was stopped, with all its child processes.")


def _not_started(command: Command, error: Exception) -> OpsctlError:
    if command.cwd is not None and not command.cwd.is_dir():
        return OpsctlError(f"cannot run {command.argv[0]}", why=f"{command.cwd} is not a directory")
    if isinstance(error, FileNotFoundError):
        return missing_program(command)
    hint = "Is it executable for this user?" if isinstance(error, PermissionError) else ""
    # The text of a ValueError or UnicodeError quotes arguments; that of an OSError does not.
    why = error.strerror if isinstance(error, OSError) else "an argument cannot be passed on"
    return OpsctlError(f"cannot run {command.argv[0]}", why=why or "", hint=hint)


# What starting a program can raise; each is answered by `_not_started`.
START_ERRORS: tuple[type[Exception], ...] = (OSError, ValueError, subprocess.SubprocessError)


class LocalProcesses:
    """Programs of this machine."""

    def __init__(self, clock: Clock, environment: Mapping[str, str] | None = None) -> None:
        self._clock = clock
        self._environment = os.environ if environment is None else environment

    def run(self, command: Command, *, check: bool = False) -> Finished:
        finished = self._carry(command, Head(OUTPUT_LIMIT_BYTES), Tail(OUTPUT_LIMIT_BYTES))
        return finished.require() if check else finished

    def stream(self, command: Command, on_line: Callable[[Line], None]) -> Finished:
        stdout_lines = Lines(command.secrets, lambda text: on_line(Line(text)))
        stderr_lines = Lines(command.secrets, lambda text: on_line(Line(text, is_error=True)))
        finished = self._carry(command, stdout_lines, stderr_lines)
        stdout_lines.end()
        stderr_lines.end()
        return finished

    def attach(self, command: Command) -> int:
        try:
            return run_in_foreground(
                command.argv, cwd=command.cwd, env=self._child_environment(command)
            )
        except START_ERRORS as error:
            raise _not_started(command, error) from error

    def _child_environment(self, command: Command) -> dict[str, str]:
        inherited = {name: self._environment[name] for name in INHERITED & set(self._environment)}
        return inherited | dict(command.env)

    def _carry(self, command: Command, out: Sink, err: Sink) -> Finished:
        started = self._clock.steady()
        withheld = _Withheld()
        try:
            running = self._begin(command)
        except BaseException:
            withheld.release()
            raise
        try:
            withheld.release()
            running.hear(out, err)
            in_time = running.pump(started + command.timeout_s)
        finally:
            exit_code = running.end(command.grace_s)
        duration_s = self._clock.steady() - started
        finished = Finished(command, exit_code, out.kept, err.kept, duration_s, out.is_cut)
        if not in_time:
            raise out_of_time(command, finished.complaint)
        return finished

    def _begin(self, command: Command) -> "_Running":
        child = self._start(command)
        try:
            return _Running(child, self._clock, command.input)
        except OSError as error:
            # No descriptor is left to watch it by.
            with child:
                child.kill()
            raise _not_started(command, error) from error

    def _start(self, command: Command) -> subprocess.Popen[bytes]:
        stdin = subprocess.DEVNULL if command.input is None else subprocess.PIPE
        try:
            # A session of its own: no terminal to prompt on, and one group to end it all by.
            return subprocess.Popen(  # noqa: S603 - an argument list, never a shell
                command.argv,
                cwd=command.cwd,
                env=self._child_environment(command),
                stdin=stdin,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                bufsize=0,
                start_new_session=True,
            )
        except START_ERRORS as error:
            raise _not_started(command, error) from error


class _Withheld:
    """What would interrupt us while a child is being started: then nobody would end it."""

    def __init__(self) -> None:
        self._came: list[int] = []
        self._handlers: dict[signal.Signals, Callable[..., object]] = {}
        try:
            self._withhold()
        except ValueError:
            # Only the main thread is interrupted, and may do this.
            return
        except BaseException:
            self.release()
            raise

    def _withhold(self) -> None:
        for number in INTERRUPTIONS:
            handler = signal.getsignal(number)
            # What is ignored stays so: the child inherits that.
            if callable(handler):
                signal.signal(number, lambda came, _: self._came.append(came))
                self._handlers[number] = handler

    def release(self) -> None:
        """Let through what came meanwhile, and from now on at once."""
        try:
            while self._handlers:
                signal.signal(*self._handlers.popitem())
            while self._came:
                signal.raise_signal(self._came.pop(0))
        finally:
            if self._handlers:
                self.release()


class _Running:
    """One child with its pipes; reaped only in `end`, so that its group cannot be another's."""

    def __init__(
        self, child: subprocess.Popen[bytes], clock: Clock, given: bytes | None = None
    ) -> None:
        self._child = child
        self._clock = clock
        self._selector = selectors.DefaultSelector()
        self._open = 0
        self._ended_at: float | None = None
        self._given = memoryview(given or b"")
        self._pidfd = os.pidfd_open(child.pid)
        self._selector.register(self._pidfd, selectors.EVENT_READ, self._note_end)

    def hear(self, out: Sink, err: Sink) -> None:
        for pipe, sink in ((self._child.stdout, out), (self._child.stderr, err)):
            if pipe is not None:
                self._open += 1
                read = partial(self._read, pipe.fileno(), sink)
                self._selector.register(pipe.fileno(), selectors.EVENT_READ, read)
        if self._child.stdin is not None:
            os.set_blocking(self._child.stdin.fileno(), False)
            self._selector.register(self._child.stdin, selectors.EVENT_WRITE, self._write)

    def pump(self, until: float) -> bool:
        """Carry bytes until the child has ended and is drained; False when time is up first."""
        while self._open or self._ended_at is None:
            if self._ended_at is not None:
                until = min(until, self._ended_at + LINGER_S)
            left = until - self._clock.steady()
            if left <= 0:
                return self._ended_at is not None
            for key, _ in self._selector.select(min(left, LONGEST_WAIT_S)):
                key.data()
        return True

    def end(self, grace_s: float) -> int:
        """Wait until the child has ended, by force if needed, also when interrupted again."""
        try:
            if self._ended_at is None:
                self._stop(grace_s)
        finally:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._child.wait(REAP_S)
            self._close()
        return -signal.SIGKILL if self._child.returncode is None else self._child.returncode

    def _stop(self, grace_s: float) -> None:
        try:
            self._signal(signal.SIGTERM)
            self.pump(self._clock.steady() + grace_s)
        finally:
            self._signal(signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._child.pid, number)

    def _note_end(self) -> None:
        self._ended_at = self._clock.steady()
        self._selector.unregister(self._pidfd)

    def _read(self, descriptor: int, sink: Sink) -> None:
        data = os.read(descriptor, READ_BYTES)
        if data:
            sink.take(data)
            return
        self._open -= 1
        self._selector.unregister(descriptor)

    def _write(self) -> None:
        stdin = self._child.stdin
        if stdin is None:
            return
        try:
            self._given = self._given[os.write(stdin.fileno(), self._given[:READ_BYTES]) :]
        except BlockingIOError:
            return
        except BrokenPipeError:
            # It does not want the rest; its exit code says whether that was right.
            self._given = memoryview(b"")
        if not self._given:
            self._selector.unregister(stdin)
            stdin.close()

    def _close(self) -> None:
        self._selector.close()
        os.close(self._pidfd)
        for pipe in (self._child.stdin, self._child.stdout, self._child.stderr):
            if pipe is not None:
                pipe.close()


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
