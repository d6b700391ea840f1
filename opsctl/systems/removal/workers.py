"""Removes files of a tree with several worker processes; each reports a batch before removing it.

Processes and not threads: the work is one system call after the other.
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
from opsctl.systems.removal.open_folder import format_folder, open_root
from opsctl.systems.removal.open_writers import Inode
from opsctl.systems.removal.safe_open import Below
from opsctl.systems.removal.safe_remove import QUIET_S
from opsctl.systems.removal.worker import receive, send

# The most folders assigned at once; fewer towards the end, so that no worker has many left.
FOLDERS_AT_ONCE = 16
END_S = 5.0
# A worker removes the files of one report while those of the next are recorded.
REPORTS_AHEAD = 2
_SOURCE = Path(__file__).parents[3]
# Without site and environment it starts in 20 ms, with a quarter of our memory.
_ARGV = ("-I", "-S", "-X", "utf8", "-c")
_PROGRAM = (
    "import sys; sys.path.append({!r}); from opsctl.systems.removal.worker import main; main()"
)


@dataclass(frozen=True, slots=True)
class RemovalOrder:
    """Which regular files to remove: by suffix or pattern, and by modification time."""

    root: Path
    endings: tuple[bytes, ...]
    pattern: bytes
    dated_ns: int
    """Older than this is not credible; the file stays."""
    before_ns: int
    """Files modified before this are removed."""
    future_ns: int
    """Later than this is in the future; the file is counted, and stays."""
    is_careful: bool
    """Ask the kernel for each file whether it is open for writing."""
    is_dry: bool


@dataclass(frozen=True, slots=True, eq=False)
class DueBatch:
    """Files of one folder to be removed next; the listing has SIZE/NAME, separated by NUL."""

    below: Below
    listing: bytes
    files: int
    size: int
    frees_bytes: int


@dataclass(frozen=True, slots=True)
class RemovedBatch:
    """What happened to a batch; `left` has indexes into its listing."""

    batch: DueBatch
    frees_bytes: int
    written: int
    left: tuple[int, ...]
    problem: str


@dataclass(frozen=True, slots=True)
class SkippedFolder:
    """A folder that was not entered, and why."""

    below: Below
    why: str


@dataclass(frozen=True, slots=True)
class WorkerReport:
    """What one worker has done since its last report, and what it would remove next."""

    due: tuple[DueBatch, ...]
    removed: tuple[RemovedBatch, ...]
    skipped: tuple[SkippedFolder, ...]
    problems: tuple[str, ...]
    future: int
    undated: int
    recovered: int
    folders: int
    """Searched since the last report."""
    waiting: int
    """Folders that are known and still to be searched."""


OnReport: TypeAlias = Callable[[WorkerReport], frozenset[Inode]]


class RemovalWorkers(Protocol):
    def run(self, order: RemovalOrder, on_report: OnReport) -> None:
        """Go through all below a root; a reported batch is removed once `on_report` returns.

        It returns the files being written to, which stay. In a dry run all stay.
        """
        ...


class LocalRemovalWorkers:
    def __init__(self, clock: Clock, *, count: int) -> None:
        self._clock = clock
        self._count = count

    def run(self, order: RemovalOrder, on_report: OnReport) -> None:
        with open_root(order.root):
            pass
        with ExitStack() as stack:
            workers = [stack.enter_context(_worker(order)) for _ in range(self._count)]
            selector = stack.enter_context(DefaultSelector())
            for worker in workers:
                selector.register(worker.pipe, EVENT_READ, worker)
            _Dispatcher(self._clock, workers, on_report, is_dry=order.is_dry).run(selector)


class _Worker:
    """A running worker, and the batches that it is about to remove."""

    def __init__(self, process: "subprocess.Popen[bytes]", order: RemovalOrder) -> None:
        self._process = process
        self._root = order.root
        self._begun: deque[tuple[DueBatch, ...]] = deque()
        self.waiting = 0
        self.inner: list[Below] = []

    @property
    def has_begun(self) -> bool:
        return any(self._begun)

    @property
    def pipe(self) -> IO[bytes]:
        return self._process.stdout  # type: ignore[return-value]  # it has one

    def close(self) -> None:
        """End it, by ending its input."""
        if self._process.stdin is not None:
            self._process.stdin.close()

    def send(self, message: dict[str, Any]) -> None:
        try:
            send(self._process.stdin, message)  # type: ignore[arg-type]  # it has one
        except OSError as error:
            raise self._ended() from error

    def receive(self) -> WorkerReport:
        message = receive(self.pipe)
        if message is None:
            raise self._ended()
        self.waiting, self.inner = message["waiting"], message["inner"]
        # The outcome of what it removes now comes with its report after next.
        begun = self._begun.popleft() if len(self._begun) == REPORTS_AHEAD else ()
        self._begun.append(tuple(DueBatch(*batch) for batch in message["batches"]))
        done = zip(begun, message["done"], strict=False)
        return WorkerReport(
            due=self._begun[-1],
            removed=tuple(_removed_batch(due, *outcome) for due, outcome in done),
            skipped=tuple(_skipped_folder(*folder) for folder in message["skipped"]),
            problems=tuple(_problem(*problem) for problem in message["problems"]),
            future=message["future"],
            undated=message["undated"],
            recovered=message["recovered"],
            folders=message["folders"],
            waiting=message["waiting"],
        )

    def _ended(self) -> OpsctlError:
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(END_S)
        return OpsctlError(
            f"cannot finish cleaning {self._root}",
            why=f"a worker process ended by itself ({self._process.returncode})",
            hint="Check `dmesg`, then run it again: what was removed is recorded.",
        )


def _removed_batch(
    due: DueBatch, frees: int, written: int, left: Sequence[int], number: int
) -> RemovedBatch:
    return RemovedBatch(due, frees, written, tuple(left), _why(number) if number else "")


def _skipped_folder(below: Below, why: str, number: int) -> SkippedFolder:
    return SkippedFolder(below, _why(number, why) if number else why)


def _problem(below: Below, number: int) -> str:
    return f"cannot read {format_folder(below)}: {_why(number)}"


def _why(number: int, otherwise: str = "") -> str:
    return translate(OSError(number, otherwise or os.strerror(number)), what="").why


@contextmanager
def _worker(order: RemovalOrder) -> Iterator[_Worker]:
    with _start() as process:
        worker = _Worker(process, order)
        try:
            worker.send(_as_message(order))
            yield worker
        except BaseException:
            process.kill()
            with suppress(OSError):
                worker.close()
            raise


def _start() -> "subprocess.Popen[bytes]":
    argv = [sys.executable, *_ARGV, _PROGRAM.format(str(_SOURCE))]
    # Python itself may need it.
    env = {name: os.environ[name] for name in ("LD_LIBRARY_PATH",) if name in os.environ}
    pipe = subprocess.PIPE
    try:
        # A group of its own: Ctrl-C is for us, and it ends with us.
        return subprocess.Popen(argv, stdin=pipe, stdout=pipe, env=env, process_group=0)  # noqa: S603 - this very program
    except OSError as error:
        raise translate(error, what=f"cannot start {sys.executable}") from error


def _as_message(order: RemovalOrder) -> dict[str, Any]:
    return {
        "root": bytes(order.root),
        "endings": tuple(end.decode("utf-8", "surrogateescape") for end in order.endings),
        "pattern": order.pattern,
        "dated_ns": order.dated_ns,
        "before_ns": order.before_ns,
        "future_ns": order.future_ns,
        "is_careful": order.is_careful,
        "is_dry": order.is_dry,
    }


class _Dispatcher:
    """Assigns folders until none is left and every worker is idle."""

    def __init__(
        self, clock: Clock, workers: Sequence[_Worker], on_report: OnReport, *, is_dry: bool
    ) -> None:
        self._clock, self._on_report, self._is_dry = clock, on_report, is_dry
        self._workers = len(workers)
        self._folders: list[Below] = [()]
        self._busy: set[_Worker] = set(workers)
        self._idle: list[_Worker] = []

    def run(self, selector: DefaultSelector) -> None:
        while self._busy:
            # No deadline: nobody knows how long the disk takes to free a file.
            for key, _ in selector.select():
                self._handle(key.data)
            while self._idle and self._folders:
                worker = self._idle.pop()
                self._busy.add(worker)
                self._assign(worker, frozenset())

    def _handle(self, worker: _Worker) -> None:
        report = worker.receive()
        self._folders += sorted(worker.inner, reverse=True)
        busy = self._on_report(replace(report, waiting=report.waiting + len(self._folders)))
        if worker.has_begun or worker.waiting or self._folders:
            self._assign(worker, busy)
        else:
            self._busy.discard(worker)
            self._idle.append(worker)

    def _assign(self, worker: _Worker, busy: frozenset[Inode]) -> None:
        quiet = self._clock.now() - timedelta(seconds=QUIET_S)
        worker.send(
            {
                "folders": self._next_folders(worker),
                "busy": tuple(busy),
                "quiet_ns": int(quiet.timestamp() * 1e9),
                "removes": not self._is_dry,
            }
        )

    def _next_folders(self, worker: _Worker) -> list[Below]:
        count = min(FOLDERS_AT_ONCE, -(-len(self._folders) // (2 * self._workers))) - worker.waiting
        share = self._folders[-count:] if count > 0 else []
        del self._folders[len(self._folders) - len(share) :]
        return share[::-1]
