"""The worker process: lists the files that are due, and removes them on request.

It starts without site: import only what costs next to nothing here. It reads requests and writes
reports over pipes; each report lists what it would remove next.
"""

import gc
import marshal
import os
import re
import signal
import sys
from collections import deque
from itertools import islice
from stat import S_ISDIR, S_ISREG

from opsctl.systems.removal.batch import FileBatch, OpenFolder
from opsctl.systems.removal.remove_batch import BatchRemover
from opsctl.systems.removal.safe_open import Below, UnsafeFolderError, enter, enter_root
from opsctl.systems.removal.safe_remove import MOVED, OURS, recover

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import IO, Any

ENTRIES_AT_ONCE = 4096
# Small in memory, and many enough that one commit per batch does not matter.
BATCH_FILES = 12_000
HEADER_BYTES = 8


class DueRule:
    """Which files are due, by name and time."""

    def __init__(self, order: "dict[str, Any]") -> None:
        self.endings: tuple[str, ...] = order["endings"]
        self.matches = re.compile(order["pattern"], re.DOTALL).match
        self.dated_ns: int = order["dated_ns"]
        self.before_ns: int = order["before_ns"]
        self.future_ns: int = order["future_ns"]


class RemovalWorker:
    """The state of one worker; a report resets its counts."""

    def __init__(self, order: "dict[str, Any]") -> None:
        self._root: bytes = order["root"]
        self._is_dry: bool = order["is_dry"]
        self._rule = DueRule(order)
        self._remover = BatchRemover(
            is_careful=order["is_careful"], require_parent=_exit_without(os.getppid())
        )
        self._top: int | None = None
        self._waiting: deque[Below] = deque()
        self._batches = self._due_batches()
        self._counts = _empty_report()

    def list_due(self) -> list[FileBatch]:
        """List what is due in the next folders, enough for one report."""
        batches: list[FileBatch] = []
        while sum(len(batch.names) for batch in batches) < BATCH_FILES and (
            batch := next(self._batches)
        ):
            batches.append(batch)
        return batches

    def add_folders(self, folders: "list[Below]") -> None:
        self._waiting.extend(folders)

    def remove(self, request: "dict[str, Any]", batches: list[FileBatch]) -> None:
        """Remove the reported files, if the request confirms it."""
        busy = frozenset(request["busy"])
        for batch in batches:
            try:
                if request["removes"]:
                    outcome = self._remover.remove(batch, busy, quiet_ns=request["quiet_ns"])
                    self._counts["done"].append(outcome.as_message)
            finally:
                batch.folder.release()

    def report(self, batches: list[FileBatch]) -> "dict[str, Any]":
        report, self._counts = self._counts, _empty_report()
        return report | {
            "batches": [batch.as_message for batch in batches],
            "waiting": len(self._waiting),
        }

    def _due_batches(self) -> "Iterator[FileBatch | None]":
        """Go through the queued folders for ever; None while the queue is empty."""
        while True:
            if not self._waiting:
                yield None
                continue
            below = self._waiting.popleft()
            self._counts["folders"] += 1
            folder = self._enter(below)
            if folder is None:
                continue
            try:
                yield from self._in_folder(folder)
            except OSError as error:
                self._counts["problems"].append((below, error.errno))
            finally:
                folder.release()

    def _enter(self, below: Below) -> OpenFolder | None:
        try:
            if self._top is None:
                self._top = enter_root(self._root)
            return OpenFolder(enter(self._top, below), below)
        except FileNotFoundError:
            return None
        except UnsafeFolderError as error:
            self._counts["skipped"].append((below, error.why, 0))
        except OSError as error:
            self._counts["skipped"].append((below, error.strerror, error.errno))
        return None

    def _in_folder(self, folder: OpenFolder) -> "Iterator[FileBatch]":
        batch, ours = FileBatch(folder), list[str]()
        with os.scandir(folder.descriptor) as entries:
            while part := list(islice(entries, ENTRIES_AT_ONCE)):
                # In the order of the inodes: the disk reads and frees them side by side.
                part.sort(key=os.DirEntry.inode)
                ours += self._pick(part, batch)
                if len(batch.names) >= BATCH_FILES:
                    folder.retain()
                    yield batch
                    batch = FileBatch(folder)
        if not self._is_dry:
            self._recover(batch, ours)
        if batch.names:
            folder.retain()
            yield batch

    def _pick(self, part: "list[os.DirEntry[str]]", batch: FileBatch) -> list[str]:
        """Runs for every file there is: a young one costs one stat and little else."""
        rule, ours = self._rule, list[str]()
        endings, matches = rule.endings, rule.matches
        dated, before, future = rule.dated_ns, rule.before_ns, rule.future_ns
        for entry in part:
            name = entry.name
            if name.startswith(OURS):
                ours.append(name)
                continue
            if not (name.endswith(endings) or matches(os.fsencode(name))):
                if entry.is_dir(follow_symlinks=False):
                    self._add_inner(batch.folder, name)
                continue
            try:
                now = entry.stat(follow_symlinks=False)
            except FileNotFoundError:
                continue
            modified = now.st_mtime_ns
            if not S_ISREG(now.st_mode):
                if S_ISDIR(now.st_mode):
                    self._add_inner(batch.folder, name)
            elif dated <= modified < before:
                batch.add(name, now)
            elif not before <= modified <= future:
                self._counts["future" if modified > future else "undated"] += 1
        return ours

    def _add_inner(self, folder: OpenFolder, name: str) -> None:
        self._counts["inner"].append((*folder.below, os.fsencode(name)))

    def _recover(self, batch: FileBatch, ours: list[str]) -> None:
        """Finish what a killed run began: old files are due again, others become visible."""
        rule, folder = self._rule, batch.folder.descriptor
        for name in ours:
            is_moved = os.fsencode(name).startswith(MOVED)
            try:
                now = os.stat(name, dir_fd=folder, follow_symlinks=False)
                is_old = rule.dated_ns <= now.st_mtime_ns < rule.before_ns
                if is_moved and is_old and S_ISREG(now.st_mode):
                    batch.add(name, now)
                else:
                    recover(folder, os.fsencode(name))
                    self._counts["recovered"] += is_moved
            except FileNotFoundError:
                continue


def _empty_report() -> "dict[str, Any]":
    lists: dict[str, Any] = {name: [] for name in ("inner", "skipped", "problems", "done")}
    return lists | dict.fromkeys(("future", "undated", "recovered", "folders"), 0)


def _exit_without(parent: int) -> "Callable[[], None]":
    """Exit once the parent has ended; a signal would come too late for the next file."""
    getppid = os.getppid

    def require_parent() -> None:
        if getppid() != parent:
            os._exit(1)

    return require_parent


def send(pipe: "IO[bytes]", message: "dict[str, Any]") -> None:
    data = marshal.dumps(message)
    pipe.write(len(data).to_bytes(HEADER_BYTES, "big") + data)
    pipe.flush()


def receive(pipe: "IO[bytes]") -> "dict[str, Any] | None":
    """Read one whole message; None at the end of the pipe, or after half a message."""
    size = int.from_bytes(pipe.read(HEADER_BYTES), "big")
    data = pipe.read(size)
    if not size or len(data) < size:
        return None
    message: dict[str, Any] = marshal.loads(data)  # noqa: S302 - both ends are ours
    return message


def main() -> None:
    read, write = sys.stdin.buffer, sys.stdout.buffer
    order = receive(read)
    if order is None:
        return
    # The reader is gone.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    # Nothing here makes reference cycles.
    gc.disable()
    worker, batches = RemovalWorker(order), list[FileBatch]()
    send(write, worker.report(batches))
    while request := receive(read):
        worker.add_folders(request["folders"])
        next_batches = worker.list_due()
        send(write, worker.report(next_batches))
        # Meanwhile the parent records the next batches.
        worker.remove(request, batches)
        batches = next_batches
