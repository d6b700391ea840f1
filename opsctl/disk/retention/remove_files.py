"""Lets go what was picked file by file: written down, removed, written down again."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from opsctl.disk.retention.removal_log import Done, Ledger
from opsctl.errors import OpsctlError
from opsctl.state.model import FileListing
from opsctl.state.removals import list_files
from opsctl.systems.removal.open_writers import Inode
from opsctl.systems.removal.safe_open import Below
from opsctl.systems.removal.safe_remove import FileOutcome
from opsctl.systems.removal.tree import FoundFile, Trees


@dataclass(frozen=True, slots=True)
class Picked:
    """Files of one folder that go together."""

    root: Path
    below: Below
    files: tuple[FoundFile, ...]

    @property
    def lot(self) -> FileListing:
        folder = b"/".join((bytes(self.root), *self.below))
        return list_files(folder, ((file.name, file.size) for file in self.files))


class Remove(Protocol):
    def __call__(self, picked: Sequence[Picked]) -> Sequence[Done]:
        """Let them go, or only say that they would."""
        ...


def removing(trees: Trees, ledger: Ledger) -> Remove:
    def remove(picked: Sequence[Picked]) -> Sequence[Done]:
        lots = [one.lot for one in picked]
        numbers = ledger.begin(lots)
        writers = trees.list_written()
        done = [_removed(trees, *both, writers) for both in zip(picked, lots, strict=True)]
        for number, one in zip(numbers, done, strict=True):
            ledger.end(number, one)
        return done

    return remove


def only_saying(picked: Sequence[Picked]) -> Sequence[Done]:
    return [Done(one.lot, sum(file.frees_bytes for file in one.files)) for one in picked]


def _removed(trees: Trees, picked: Picked, lot: FileListing, writers: frozenset[Inode]) -> Done:
    left = set(range(lot.files))
    frees_bytes = written = 0
    trouble = ""
    try:
        with trees.open(picked.root, picked.below) as folder:
            for index, file in enumerate(picked.files):
                is_written = file.inode in writers
                outcome = FileOutcome.WRITTEN if is_written else folder.remove(file, carefully=True)
                written += outcome is FileOutcome.WRITTEN
                if outcome is FileOutcome.REMOVED:
                    left.remove(index)
                    frees_bytes += file.frees_bytes
    except OpsctlError as error:
        trouble = f"{error.what}: {error.why}"
    return Done(lot, frees_bytes, written, left, trouble)
