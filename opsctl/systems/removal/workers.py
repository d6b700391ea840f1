"""Trees thinned by several small programs at once; each says what it would remove before it does.

A second process and not a thread: the work is one call to the kernel after the other.
"""

import os
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from selectors import EVENT_READ, DefaultSelector
from typing import IO, Any, Protocol, TypeAlias

from opsctl.errors import OpsctlError
from opsctl.systems.clock import Clock
from opsctl.systems.files.local import translate
from opsctl.systems.removal.open_folder import opened_root, shown
from opsctl.systems.removal.open_writers import Inode
from opsctl.systems.removal.safe_open import Below
from opsctl.systems.removal.safe_remove import QUIET_S
from opsctl.systems.removal.worker import receive, send

# So many folders are handed out at once, and fewer towards the end: nobody is left with many.
SHARE = 16
END_S = 5.0
# Each sweeper removes one turn's files while those of the next are written down.
AT_ONCE = 2
_HOME = Path(__file__).parents[3]
# Without site and environment: it starts in 20 ms, and in a fourth of our memory.
_ARGV = ("-I", "-S", "-X", "utf8", "-c")
_PROGRAM = (
    "import sys; sys.path.append({!r}); from opsctl.systems.removal.worker import main; main()"
)


@dataclass(frozen=True, slots=True)
class Sweep:
    """Which regular files go: by the end of their name or a pattern, and by when they changed."""

    root: Path
    endings: tuple[bytes, ...]
    pattern: bytes
    dated_ns: int
    """What changed before has no credible time, and stays."""
    before_ns: int
    """What changed before goes."""
    future_ns: int
    """What changed after has a time of the future; it is counted, and stays."""
    is_careful: bool
    """Ask the kernel about each file whether it is written to."""
    is_dry: bool


@dataclass(frozen=True, slots=True, eq=False)
class Due:
    """Files of one folder that would go next; the listing has SIZE/NAME, with NUL between."""

    below: Below
    listing: bytes
    files: int
    size: int
    frees_bytes: int


@dataclass(frozen=True, slots=True)
class Cleared:
    """What became of them; `left` counts in the listing from 0."""

    due: Due
    frees_bytes: int
    written: int
    left: tuple[int, ...]
    trouble: str


@dataclass(frozen=True, slots=True)
class Left:
    """A folder that was not entered, and why."""

    below: Below
    why: str


@dataclass(frozen=True, slots=True)
class Report:
    """What one sweeper has met and done since its last, and what it would remove next."""

    due: tuple[Due, ...]
    cleared: tuple[Cleared, ...]
    skipped: tuple[Left, ...]
    troubles: tuple[str, ...]
    future: int
    undated: int
    recovered: int
    looked: int
    """Folders."""
    waiting: int
    """Folders that are known, and still to be looked through."""


Answer: TypeAlias = Callable[[Report], frozenset[Inode]]


class Sweepers(Protocol):
    def sweep(self, sweep: Sweep, answer: Answer) -> None:
        """Go through all below a root; what `answer` was told of goes once it returns.

        It gives what is being written to, which stays. In a dry sweep all stays.
        """
        ...


class LocalSweepers:
    def __init__(self, clock: Clock, *, count: int) -> None:
        self._clock = clock
        self._count = count

    def sweep(self, sweep: Sweep, answer: Answer) -> None:
        with opened_root(sweep.root):
            pass
        with ExitStack() as stack:
            crew = [stack.enter_context(_started(sweep)) for _ in range(self._count)]
            selector = stack.enter_context(DefaultSelector())
            for one in crew:
                selector.register(one.pipe, EVENT_READ, one)
            _Shift(self._clock, crew, answer, is_dry=sweep.is_dry).carry(selector)


class _One:
    """A sweeper at work, and what it is about to remove."""

    def __init__(self, process: "subprocess.Popen[bytes]", sweep: Sweep) -> None:
        self._process = process
        self._root = sweep.root
        self._begun: deque[tuple[Due, ...]] = deque()
        self.waiting = 0
        self.inner: list[Below] = []

    @property
    def has_begun(self) -> bool:
        return any(self._begun)

    @property
    def pipe(self) -> IO[bytes]:
        return self._process.stdout  # type: ignore[return-value]  # it has one

    def close(self) -> None:
        """Say nothing more: it ends."""
        if self._process.stdin is not None:
            self._process.stdin.close()

    def say(self, message: dict[str, Any]) -> None:
        try:
            send(self._process.stdin, message)  # type: ignore[arg-type]  # it has one
        except OSError as error:
            raise self._gone() from error

    def hear(self) -> Report:
        said = receive(self.pipe)
        if said is None:
            raise self._gone()
        self.waiting, self.inner = said["waiting"], said["inner"]
        # What it was let remove last comes back with its report after next.
        begun = self._begun.popleft() if len(self._begun) == AT_ONCE else ()
        self._begun.append(tuple(Due(*lot) for lot in said["lots"]))
        done = zip(begun, said["done"], strict=False)
        return Report(
            due=self._begun[-1],
            cleared=tuple(_cleared(due, *outcome) for due, outcome in done),
            skipped=tuple(_left(*one) for one in said["skipped"]),
            troubles=tuple(_trouble(*one) for one in said["troubles"]),
            future=said["future"],
            undated=said["undated"],
            recovered=said["recovered"],
            looked=said["looked"],
            waiting=said["waiting"],
        )

    def _gone(self) -> OpsctlError:
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(END_S)
        return OpsctlError(
            f"Cannot clean {self._root} any further",
            why=f"what does it has ended by itself ({self._process.returncode})",
            hint="Look at `dmesg`, then run it again: what had gone is in the books.",
        )


def _cleared(due: Due, frees: int, written: int, left: Sequence[int], number: int) -> Cleared:
    return Cleared(due, frees, written, tuple(left), _why(number) if number else "")


def _left(below: Below, why: str, number: int) -> Left:
    return Left(below, _why(number, why) if number else why)


def _trouble(below: Below, number: int) -> str:
    return f"Cannot read {shown(below)}: {_why(number)}"


def _why(number: int, otherwise: str = "") -> str:
    return translate(OSError(number, otherwise or os.strerror(number)), what="").why


@contextmanager
def _started(sweep: Sweep) -> Iterator[_One]:
    with _start() as process:
        one = _One(process, sweep)
        try:
            one.say(_told(sweep))
            yield one
        except BaseException:
            process.kill()
            with suppress(OSError):
                one.close()
            raise


def _start() -> "subprocess.Popen[bytes]":
    argv = [sys.executable, *_ARGV, _PROGRAM.format(str(_HOME))]
    # Where Python itself needs it.
    env = {name: os.environ[name] for name in ("LD_LIBRARY_PATH",) if name in os.environ}
    pipe = subprocess.PIPE
    try:
        # A group of its own: Ctrl-C is for us, and it ends with us.
        return subprocess.Popen(argv, stdin=pipe, stdout=pipe, env=env, process_group=0)  # noqa: S603 - this very program
    except OSError as error:
        raise translate(error, what=f"Cannot start {sys.executable}") from error


def _told(sweep: Sweep) -> dict[str, Any]:
    return {
        "root": bytes(sweep.root),
        "endings": tuple(one.decode("utf-8", "surrogateescape") for one in sweep.endings),
        "pattern": sweep.pattern,
        "dated_ns": sweep.dated_ns,
        "before_ns": sweep.before_ns,
        "future_ns": sweep.future_ns,
        "is_careful": sweep.is_careful,
        "is_dry": sweep.is_dry,
    }


class _Shift:
    """Hands out folders until there is none left and nobody is at work."""

    def __init__(self, clock: Clock, crew: Sequence[_One], answer: Answer, *, is_dry: bool) -> None:
        self._clock, self._answer, self._is_dry = clock, answer, is_dry
        self._crew = len(crew)
        self._folders: list[Below] = [()]
        self._busy: set[_One] = set(crew)
        self._idle: list[_One] = []

    def carry(self, selector: DefaultSelector) -> None:
        while self._busy:
            # No deadline: how long the disk takes to let go of a file, nobody knows.
            for key, _ in selector.select():
                self._serve(key.data)
            while self._idle and self._folders:
                one = self._idle.pop()
                self._busy.add(one)
                self._give(one, frozenset())

    def _serve(self, one: _One) -> None:
        report = one.hear()
        self._folders += sorted(one.inner, reverse=True)
        busy = self._answer(replace(report, waiting=report.waiting + len(self._folders)))
        if one.has_begun or one.waiting or self._folders:
            self._give(one, busy)
        else:
            self._busy.discard(one)
            self._idle.append(one)

    def _give(self, one: _One, busy: frozenset[Inode]) -> None:
        quiet = self._clock.now() - timedelta(seconds=QUIET_S)
        one.say(
            {
                "folders": self._share(one),
                "busy": tuple(busy),
                "quiet_ns": int(quiet.timestamp() * 1e9),
                "goes": not self._is_dry,
            }
        )

    def _share(self, one: _One) -> list[Below]:
        wanted = min(SHARE, -(-len(self._folders) // (2 * self._crew))) - one.waiting
        share = self._folders[-wanted:] if wanted > 0 else []
        del self._folders[len(self._folders) - len(share) :]
        return share[::-1]
