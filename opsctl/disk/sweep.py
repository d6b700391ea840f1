"""Goes through the folders and lets go what is due, a few folders at a time."""

import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Protocol

from opsctl.disk.ledger import Done, Ledger, Lot
from opsctl.disk.plan import Age, Ages, Names
from opsctl.errors import OpsctlError
from opsctl.progress import Progress
from opsctl.systems.descent import Below, shown
from opsctl.systems.trees import GRAVE, Fate, Folder, Found, Skipped, Trees
from opsctl.systems.writers import Inode

# Few enough to be small in memory, many enough for one commit not to matter.
FOLDERS = 32
FILES = 1000
# A folder with more than that is gone through again, alone, and in larger steps.
MORE_FILES = 30_000


@dataclass(slots=True)
class Tally:
    """What was met on the way; filled by several threads."""

    seen: Counter[Age] = field(default_factory=Counter)
    gone_files: int = 0
    freed_bytes: int = 0
    written: int = 0
    recovered: int = 0
    troubles: list[str] = field(default_factory=list)
    steps: dict[str, tuple[int, int]] = field(default_factory=dict)
    _turn: threading.Lock = field(default_factory=threading.Lock)

    def add_seen(self, seen: Counter[Age]) -> None:
        with self._turn:
            self.seen += seen

    def add_done(self, done: Done) -> None:
        with self._turn:
            files, size = self.steps.get(place := named(done.lot), (0, 0))
            self.steps[place] = (files + len(done.gone), size + done.frees_bytes)
            self.gone_files += len(done.gone)
            self.freed_bytes += done.frees_bytes
            self.written += done.written
        if done.trouble:
            self.add_trouble(done.trouble)

    def add_trouble(self, trouble: str) -> None:
        with self._turn:
            self.troubles.append(trouble)


def named(lot: Lot) -> str:
    return str(lot.root) if not lot.below else f"{lot.root}/{shown(lot.below)}"


class Remove(Protocol):
    def __call__(self, lots: Sequence[Lot]) -> Sequence[Done]:
        """Let them go, or only say that they would."""
        ...


@dataclass(frozen=True, slots=True)
class Scope:
    """What a sweep goes by."""

    trees: Trees
    ages: Ages
    names: Names
    tally: Tally
    is_dry: bool


def sweep(
    scope: Scope, root: Path, *, remove: Remove, pool: ThreadPoolExecutor, progress: Progress
) -> None:
    """Remove what is old below one root."""
    folders = _entered(scope, root)
    number = 0
    while chunk := list(islice(folders, FOLDERS)):
        progress.advance(number, number + len(chunk) + 1, f"{root}: {scope.tally.gone_files} files")
        number += len(chunk)
        looked = list(pool.map(lambda below: _due(scope, root, below, limit=FILES), chunk))
        _remove_all(scope, [lot for lot, _ in looked if lot.files], remove)
        for lot, has_more in looked:
            if has_more:
                _finish(scope, lot, remove)
    progress.advance(number, number, "")


def _finish(scope: Scope, lot: Lot, remove: Remove) -> None:
    """Go through a large folder again until nothing more of it goes."""
    has_more = not scope.is_dry
    while has_more:
        before = scope.tally.gone_files
        lot, has_more = _due(scope, lot.root, lot.below, limit=MORE_FILES)
        _remove_all(scope, [lot] if lot.files else [], remove)
        has_more = has_more and scope.tally.gone_files > before


def _remove_all(scope: Scope, lots: Sequence[Lot], remove: Remove) -> None:
    for done in remove(lots) if lots else ():
        scope.tally.add_done(done)


def _entered(scope: Scope, root: Path) -> Iterator[Below]:
    for below in scope.trees.folders(root):
        if isinstance(below, Skipped):
            scope.tally.add_trouble(f"{root}/{shown(below.below)} was left alone: {below.why}")
        else:
            yield below


def _due(scope: Scope, root: Path, below: Below, *, limit: int) -> tuple[Lot, bool]:
    """List what is old in one folder, and say whether there may be more."""
    due: list[Found] = []
    seen: Counter[Age] = Counter()
    has_more = False
    try:
        with scope.trees.open(root, below) as folder:
            for file, age in aged(scope, folder):
                seen[age] += 1
                if age is Age.OLD:
                    due.append(file)
                    has_more = len(due) >= limit and not scope.is_dry
                if has_more:
                    break
            due += _left_overs(scope, folder)
    except OpsctlError as error:
        scope.tally.add_trouble(f"{error.what}: {error.why}")
    if not has_more:
        scope.tally.add_seen(seen)
    return Lot(root, below, tuple(due)), has_more


def aged(scope: Scope, folder: Folder) -> Iterator[tuple[Found, Age]]:
    for batch in folder.batches():
        for file in batch:
            if scope.names.fit(file.name):
                yield file, scope.ages.judge(file.modified_ns)


def _left_overs(scope: Scope, folder: Folder) -> Iterator[Found]:
    """Finish what a killed run began: what was old goes, what was not gets a name again."""
    for name in () if scope.is_dry else folder.left_overs:
        found = folder.look(name) if name.startswith(GRAVE) else None
        if found is not None and scope.ages.judge(found.modified_ns) is Age.OLD:
            yield found
        else:
            folder.restore(name)
            scope.tally.recovered += name.startswith(GRAVE)


def removing(trees: Trees, ledger: Ledger, pool: ThreadPoolExecutor, *, carefully: bool) -> Remove:
    """Write down, let go, write down again."""

    def remove(lots: Sequence[Lot]) -> Sequence[Done]:
        numbers = ledger.begin(lots)
        writers = trees.writers()
        done = list(pool.map(lambda lot: _remove(trees, lot, writers, carefully=carefully), lots))
        ledger.end(numbers, done)
        return done

    return remove


def only_saying(lots: Sequence[Lot]) -> Sequence[Done]:
    return [Done(lot, lot.files) for lot in lots]


def _remove(trees: Trees, lot: Lot, writers: frozenset[Inode], *, carefully: bool) -> Done:
    gone: list[Found] = []
    written, trouble = 0, ""
    try:
        with trees.open(lot.root, lot.below) as folder:
            for file in lot.files:
                fate = (
                    Fate.WRITTEN
                    if file.inode in writers
                    else folder.remove(file, carefully=carefully)
                )
                written += fate is Fate.WRITTEN
                if fate is Fate.GONE:
                    gone.append(file)
    except OpsctlError as error:
        trouble = f"{named(lot)}: {error.what}: {error.why}"
    return Done(lot, tuple(gone), written, trouble)
