"""Removes what a lot lists, each file only if it is still the one that was listed.

A sweeper starts bare: what it imports is kept to what costs next to nothing.
"""

import os
from stat import S_ISREG

from opsctl.systems.graves import Fate, Grave
from opsctl.systems.lots import BLOCK_BYTES, File, Folder, Lot, freed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

Inode = tuple[int, int]


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
        for index, (name, device, number, modified, size) in enumerate(lot.files):
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
        for index, file in enumerate(lot.files):
            fate, frees = Fate.OTHER, 0
            try:
                fate, frees = self._buried(lot.folder, file, grave, busy)
            except FileNotFoundError:
                pass
            except OSError as error:
                outcome.trouble = error.errno or 0
            if fate is not Fate.GONE:
                outcome.left.append(index)
            outcome.frees += frees
            outcome.written += fate is Fate.WRITTEN
        try:
            grave.close()
        except OSError as error:
            outcome.trouble = error.errno or 0
        return outcome

    def _buried(
        self, folder: Folder, file: File, grave: Grave, busy: frozenset[Inode]
    ) -> tuple[Fate, int]:
        name, device, number, *_ = file
        if (device, number) in busy:
            return Fate.WRITTEN, 0
        now = os.stat(name, dir_fd=folder.descriptor, follow_symlinks=False)
        self._alive()
        fate = grave.remove(name, file[1:], carefully=self._is_careful)
        return fate, freed(now) if fate is Fate.GONE else 0
