"""Deletes selected files: recorded, deleted, and the result recorded."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from opsctl.disk.retention.removal_log import RemovalLog, RemovalResult
from opsctl.errors import OpsctlError
from opsctl.state.model import FileListing
from opsctl.state.removals import list_files
from opsctl.systems.removal.open_writers import Inode
from opsctl.systems.removal.safe_open import Below
from opsctl.systems.removal.safe_remove import FileOutcome
from opsctl.systems.removal.tree import FoundFile, Trees


@dataclass(frozen=True, slots=True)
class FileBatch:
    """Files of one folder that are deleted together."""

    root: Path
    below: Below
    files: tuple[FoundFile, ...]

    @property
    def lot(self) -> FileListing:
        folder = b"/".join((bytes(self.root), *self.below))
        return list_files(folder, ((file.name, file.size) for file in self.files))


class Remove(Protocol):
    def __call__(self, batches: Sequence[FileBatch]) -> Sequence[RemovalResult]:
        """Delete them, or only compute what would be deleted."""
        ...


def make_remover(trees: Trees, removal_log: RemovalLog) -> Remove:
    def remove(batches: Sequence[FileBatch]) -> Sequence[RemovalResult]:
        lots = [batch.lot for batch in batches]
        numbers = removal_log.begin(lots)
        writers = trees.list_written()
        results = [
            _remove_batch(trees, batch, lot, writers)
            for batch, lot in zip(batches, lots, strict=True)
        ]
        for number, result in zip(numbers, results, strict=True):
            removal_log.end(number, result)
        return results

    return remove


def simulate_removal(batches: Sequence[FileBatch]) -> Sequence[RemovalResult]:
    return [
        RemovalResult(batch.lot, sum(file.frees_bytes for file in batch.files)) for batch in batches
    ]


def _remove_batch(
    trees: Trees, batch: FileBatch, lot: FileListing, writers: frozenset[Inode]
) -> RemovalResult:
    left = set(range(lot.files))
    frees_bytes = written = 0
    problem = ""
    try:
        with trees.open(batch.root, batch.below) as folder:
            for index, file in enumerate(batch.files):
                is_written = file.inode in writers
                outcome = FileOutcome.WRITTEN if is_written else folder.remove(file, carefully=True)
                written += outcome is FileOutcome.WRITTEN
                if outcome is FileOutcome.REMOVED:
                    left.remove(index)
                    frees_bytes += file.frees_bytes
    except OpsctlError as error:
        problem = f"{error.what}: {error.why}"
    return RemovalResult(lot, frees_bytes, written, left, problem)
