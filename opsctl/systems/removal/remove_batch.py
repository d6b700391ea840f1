"""Removes what a lot lists, each file only if it is still the one that was listed.

A sweeper starts bare: what it imports is kept to what costs next to nothing.
"""

import os
from stat import S_ISREG

from opsctl.systems.removal.batch import BLOCK_BYTES, Lot, freed
from opsctl.systems.removal.safe_remove import Fate, Grave, Seen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

Inode = tuple[int, int]
# So few files take less time than a new run needs to start.
ALIVE_EVERY = 16


class Outcome:
    """What became of a lot; `left` counts its files from 0."""

    __slots__ = ("frees", "left", "trouble", "written")

    def __init__(self) -> None:
        self.frees = self.written = self.trouble = 0
        self.left: list[int] = []

    @property
    def told(self) -> tuple[int, int, list[int], int]:
        return self.frees, self.written, self.left, self.trouble


class Clearing:
    """`alive` is asked before each file: whoever writes the books may be gone."""

    def __init__(self, *, is_careful: bool, alive: "Callable[[], None]") -> None:
        self._is_careful = is_careful
        self._alive = alive

    def clear(self, lot: Lot, busy: frozenset[Inode], *, quiet_ns: int) -> Outcome:
        """Remove it, but what is `busy`; changed after `quiet_ns` is a folder where names move."""
        folder = lot.folder
        changed_ns = os.fstat(folder.descriptor).st_mtime_ns
        is_quiet = changed_ns < quiet_ns or changed_ns == folder.still_ns
        if not is_quiet or self._is_careful:
            return self._by_grave(lot, busy)
        outcome = self._in_place(lot, busy)
        folder.still_ns = os.fstat(folder.descriptor).st_mtime_ns
        return outcome

    def _in_place(self, lot: Lot, busy: frozenset[Inode]) -> Outcome:
        """Do as `graves.remove_in_place` does, without a call of ours for each file."""
        folder, alive, stat, unlink = lot.folder.descriptor, self._alive, os.stat, os.unlink
        outcome, is_busy = Outcome(), frozenset(number for _, number in busy)
        left, frees = outcome.left, 0
        for index, (name, device, number, modified, size) in enumerate(lot.files()):
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
                    if not index % ALIVE_EVERY:
                        alive()
                    unlink(name, dir_fd=folder)
                    frees += now.st_blocks * BLOCK_BYTES if now.st_nlink == 1 else 0
            except FileNotFoundError:
                left.append(index)
            except OSError as error:
                left.append(index)
                outcome.trouble = error.errno or 0
        outcome.frees = frees
        return outcome

    def _by_grave(self, lot: Lot, busy: frozenset[Inode]) -> Outcome:
        outcome, grave = Outcome(), Grave(lot.folder.descriptor)
        for index, (name, device, number, modified, size) in enumerate(lot.files()):
            fate = Fate.OTHER
            try:
                now = os.stat(name, dir_fd=lot.folder.descriptor, follow_symlinks=False)
                seen = (device, number, modified, size)
                fate = self._buried(grave, name, seen, busy)
                outcome.frees += freed(now) if fate is Fate.GONE else 0
            except FileNotFoundError:
                pass
            except OSError as error:
                outcome.trouble = error.errno or 0
            if fate is not Fate.GONE:
                outcome.left.append(index)
            outcome.written += fate is Fate.WRITTEN
        try:
            grave.close()
        except OSError as error:
            outcome.trouble = error.errno or 0
        return outcome

    def _buried(self, grave: Grave, name: str, seen: Seen, busy: frozenset[Inode]) -> Fate:
        if seen[:2] in busy:
            return Fate.WRITTEN
        self._alive()
        return grave.remove(name, seen, carefully=self._is_careful)
