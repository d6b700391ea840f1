"""Removes the files of a batch, each only if it is still the one that was listed.

The worker process starts without site: import only what costs next to nothing here.
"""

import os
from stat import S_ISREG

from opsctl.systems.removal.batch import BLOCK_BYTES, FileBatch, freed_bytes
from opsctl.systems.removal.safe_remove import FileIdentity, FileOutcome, SafeRemover

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

Inode = tuple[int, int]
# Removing so few files takes less time than starting a new run.
CHECK_EVERY = 16


class BatchOutcome:
    """What happened to a batch; `left` has indexes of its files."""

    __slots__ = ("errno", "freed_bytes", "left", "written")

    def __init__(self) -> None:
        self.freed_bytes = self.written = self.errno = 0
        self.left: list[int] = []

    @property
    def as_message(self) -> tuple[int, int, list[int], int]:
        return self.freed_bytes, self.written, self.left, self.errno


class BatchRemover:
    """Calls `require_parent` before each file: the process that keeps the record may have ended."""

    def __init__(self, *, is_careful: bool, require_parent: "Callable[[], None]") -> None:
        self._is_careful = is_careful
        self._require_parent = require_parent

    def remove(self, batch: FileBatch, busy: frozenset[Inode], *, quiet_ns: int) -> BatchOutcome:
        """Remove all but the `busy` files; in a folder changed after `quiet_ns` names may move."""
        folder = batch.folder
        changed_ns = os.fstat(folder.descriptor).st_mtime_ns
        is_quiet = changed_ns < quiet_ns or changed_ns == folder.own_change_ns
        if not is_quiet or self._is_careful:
            return self._by_rename(batch, busy)
        outcome = self._in_place(batch, busy)
        folder.own_change_ns = os.fstat(folder.descriptor).st_mtime_ns
        return outcome

    def _in_place(self, batch: FileBatch, busy: frozenset[Inode]) -> BatchOutcome:
        """Do what `remove_in_place` does, without a Python call per file."""
        folder, require_parent, stat, unlink = (
            batch.folder.descriptor,
            self._require_parent,
            os.stat,
            os.unlink,
        )
        outcome, is_busy = BatchOutcome(), frozenset(number for _, number in busy)
        left, frees = outcome.left, 0
        for index, (name, device, number, modified, size) in enumerate(batch.files()):
            try:
                now = stat(name, dir_fd=folder, follow_symlinks=False)
                if (
                    now.st_ino != number
                    or now.st_mtime_ns != modified
                    or now.st_size != size
                    or now.st_dev != device
                    or not S_ISREG(now.st_mode)
                ):
                    left.append(index)
                elif number in is_busy and (device, number) in busy:
                    outcome.written += 1
                    left.append(index)
                else:
                    if not index % CHECK_EVERY:
                        require_parent()
                    unlink(name, dir_fd=folder)
                    frees += now.st_blocks * BLOCK_BYTES if now.st_nlink == 1 else 0
            except FileNotFoundError:
                left.append(index)
            except OSError as error:
                left.append(index)
                outcome.errno = error.errno or 0
        outcome.freed_bytes = frees
        return outcome

    def _by_rename(self, batch: FileBatch, busy: frozenset[Inode]) -> BatchOutcome:
        outcome, remover = BatchOutcome(), SafeRemover(batch.folder.descriptor)
        for index, (name, device, number, modified, size) in enumerate(batch.files()):
            result = FileOutcome.REPLACED
            try:
                now = os.stat(name, dir_fd=batch.folder.descriptor, follow_symlinks=False)
                seen = (device, number, modified, size)
                result = self._remove_one(remover, name, seen, busy)
                outcome.freed_bytes += freed_bytes(now) if result is FileOutcome.REMOVED else 0
            except FileNotFoundError:
                pass
            except OSError as error:
                outcome.errno = error.errno or 0
            if result is not FileOutcome.REMOVED:
                outcome.left.append(index)
            outcome.written += result is FileOutcome.WRITTEN
        try:
            remover.close()
        except OSError as error:
            outcome.errno = error.errno or 0
        return outcome

    def _remove_one(
        self, remover: SafeRemover, name: str, seen: FileIdentity, busy: frozenset[Inode]
    ) -> FileOutcome:
        if seen[:2] in busy:
            return FileOutcome.WRITTEN
        self._require_parent()
        return remover.remove(name, seen, carefully=self._is_careful)
