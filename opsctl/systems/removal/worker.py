"""Lists and removes what is due, folder by folder: a small program beside the one that decides.

It starts bare: what it imports is kept to what costs next to nothing. It reads turns and writes
reports by pipe; in each it says what it would remove next, and it removes only when told to.
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

from opsctl.systems.removal.batch import Folder, Lot
from opsctl.systems.removal.remove_batch import Clearing
from opsctl.systems.removal.safe_open import Below, ClosedError, enter, enter_root
from opsctl.systems.removal.safe_remove import GRAVE, OURS, restore

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import IO, Any

BATCH = 4096
# Few enough to be small in memory, many enough for a commit each not to matter.
LOT_FILES = 12_000
HEADER_BYTES = 8


class Wanted:
    """What is due by its name and its time."""

    def __init__(self, told: "dict[str, Any]") -> None:
        self.endings: tuple[str, ...] = told["endings"]
        self.fits = re.compile(told["pattern"], re.DOTALL).match
        self.dated_ns: int = told["dated_ns"]
        self.before_ns: int = told["before_ns"]
        self.future_ns: int = told["future_ns"]


class Sweeper:
    """All that one sweeper knows; a report empties what it has met."""

    def __init__(self, told: "dict[str, Any]") -> None:
        self._root: bytes = told["root"]
        self._is_dry: bool = told["is_dry"]
        self._wanted = Wanted(told)
        self._clearing = Clearing(is_careful=told["is_careful"], alive=_stop_with(os.getppid()))
        self._top: int | None = None
        self._waiting: deque[Below] = deque()
        self._lots = self._listed()
        self._met = _nothing()

    def due(self) -> list[Lot]:
        """List what is due in the next folders, enough for one turn."""
        lots: list[Lot] = []
        while sum(len(lot.names) for lot in lots) < LOT_FILES and (lot := next(self._lots)):
            lots.append(lot)
        return lots

    def add(self, folders: "list[Below]") -> None:
        self._waiting.extend(folders)

    def take(self, turn: "dict[str, Any]", lots: list[Lot]) -> None:
        """Remove what was reported, if that may go."""
        busy = frozenset(turn["busy"])
        for lot in lots:
            try:
                if turn["goes"]:
                    outcome = self._clearing.clear(lot, busy, quiet_ns=turn["quiet_ns"])
                    self._met["done"].append(outcome.told)
            finally:
                lot.folder.let_go()

    def report(self, lots: list[Lot]) -> "dict[str, Any]":
        met, self._met = self._met, _nothing()
        return met | {"lots": [lot.told for lot in lots], "waiting": len(self._waiting)}

    def _listed(self) -> "Iterator[Lot | None]":
        """Go through the folders that wait, for ever; None where there is none now."""
        while True:
            if not self._waiting:
                yield None
                continue
            below = self._waiting.popleft()
            self._met["looked"] += 1
            folder = self._entered(below)
            if folder is None:
                continue
            try:
                yield from self._in_folder(folder)
            except OSError as error:
                self._met["troubles"].append((below, error.errno))
            finally:
                folder.let_go()

    def _entered(self, below: Below) -> Folder | None:
        try:
            if self._top is None:
                self._top = enter_root(self._root)
            return Folder(enter(self._top, below), below)
        except FileNotFoundError:
            return None
        except ClosedError as error:
            self._met["skipped"].append((below, error.why, 0))
        except OSError as error:
            self._met["skipped"].append((below, error.strerror, error.errno))
        return None

    def _in_folder(self, folder: Folder) -> "Iterator[Lot]":
        lot, ours = Lot(folder), list[str]()
        with os.scandir(folder.descriptor) as entries:
            while part := list(islice(entries, BATCH)):
                # In the order of the inodes: the disk reads and frees them side by side.
                part.sort(key=os.DirEntry.inode)
                ours += self._pick(part, lot)
                if len(lot.names) >= LOT_FILES:
                    folder.hold()
                    yield lot
                    lot = Lot(folder)
        if not self._is_dry:
            self._settle(lot, ours)
        if lot.names:
            folder.hold()
            yield lot

    def _pick(self, part: "list[os.DirEntry[str]]", lot: Lot) -> list[str]:
        """Run for every file there is: what is young costs one look at the disk and little else."""
        wanted, ours = self._wanted, list[str]()
        endings, fits = wanted.endings, wanted.fits
        dated, before, future = wanted.dated_ns, wanted.before_ns, wanted.future_ns
        for entry in part:
            name = entry.name
            if name.startswith(OURS):
                ours.append(name)
                continue
            if not (name.endswith(endings) or fits(os.fsencode(name))):
                if entry.is_dir(follow_symlinks=False):
                    self._add_inner(lot.folder, name)
                continue
            try:
                now = entry.stat(follow_symlinks=False)
            except FileNotFoundError:
                continue
            modified = now.st_mtime_ns
            if not S_ISREG(now.st_mode):
                if S_ISDIR(now.st_mode):
                    self._add_inner(lot.folder, name)
            elif dated <= modified < before:
                lot.add(name, now)
            elif not before <= modified <= future:
                self._met["future" if modified > future else "undated"] += 1
        return ours

    def _add_inner(self, folder: Folder, name: str) -> None:
        self._met["inner"].append((*folder.below, os.fsencode(name)))

    def _settle(self, lot: Lot, ours: list[str]) -> None:
        """Finish what a killed run began: what was old goes, what was not gets a name again."""
        wanted, folder = self._wanted, lot.folder.descriptor
        for name in ours:
            is_grave = os.fsencode(name).startswith(GRAVE)
            try:
                now = os.stat(name, dir_fd=folder, follow_symlinks=False)
                is_old = wanted.dated_ns <= now.st_mtime_ns < wanted.before_ns
                if is_grave and is_old and S_ISREG(now.st_mode):
                    lot.add(name, now)
                else:
                    restore(folder, os.fsencode(name))
                    self._met["recovered"] += is_grave
            except FileNotFoundError:
                continue


def _nothing() -> "dict[str, Any]":
    lists: dict[str, Any] = {name: [] for name in ("inner", "skipped", "troubles", "done")}
    return lists | dict.fromkeys(("future", "undated", "recovered", "looked"), 0)


def _stop_with(parent: int) -> "Callable[[], None]":
    """End with whoever started us; a signal for that would come too late for the next file."""
    getppid = os.getppid

    def alive() -> None:
        if getppid() != parent:
            os._exit(1)

    return alive


def send(pipe: "IO[bytes]", message: "dict[str, Any]") -> None:
    data = marshal.dumps(message)
    pipe.write(len(data).to_bytes(HEADER_BYTES, "big") + data)
    pipe.flush()


def receive(pipe: "IO[bytes]") -> "dict[str, Any] | None":
    """Read one whole message; None where there comes none any more, or only its beginning."""
    size = int.from_bytes(pipe.read(HEADER_BYTES), "big")
    data = pipe.read(size)
    if not size or len(data) < size:
        return None
    message: dict[str, Any] = marshal.loads(data)  # noqa: S302 - both ends are ours
    return message


def main() -> None:
    read, write = sys.stdin.buffer, sys.stdout.buffer
    told = receive(read)
    if told is None:
        return
    # Whoever was to read it is gone.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    # Nothing here goes in circles.
    gc.disable()
    sweeper, lots = Sweeper(told), list[Lot]()
    send(write, sweeper.report(lots))
    while turn := receive(read):
        sweeper.add(turn["folders"])
        ahead = sweeper.due()
        send(write, sweeper.report(ahead))
        # While what comes next is written down.
        sweeper.take(turn, lots)
        lots = ahead
