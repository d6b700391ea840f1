"""Removes a file for sure: looked at once more, where names move under one that only we know.

A sweeper starts bare: what it imports is kept to what costs next to nothing.
"""

import errno
import os
from enum import StrEnum
from stat import S_ISREG

from opsctl.systems.removal.open_writers import has_no_writer

# What we move out of the way, and what we write aside; a kill may leave one behind.
OURS = ".opsctl-"
GRAVE = b".opsctl-grave-"
ASIDE = b".opsctl-aside-"
# Rotation moves names in a burst; in a folder that was still for so long none is going on.
QUIET_S = 10
FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
# By descriptor, which pathlib cannot.
_rename = os.rename

# Device, number, time in nanoseconds and size of a file, as it was seen.
Seen = tuple[int, int, int, int]


class Fate(StrEnum):
    """What became of a file that was to go."""

    GONE = "gone"
    OTHER = "other"
    """Something else has its name by now, or nothing; that was left."""
    WRITTEN = "written"
    """Somebody has it open for writing, or nobody could tell; it was left."""


def is_same(seen: Seen, now: os.stat_result) -> bool:
    is_it = (now.st_dev, now.st_ino, now.st_mtime_ns, now.st_size) == seen
    return is_it and S_ISREG(now.st_mode)


def remove_in_place(folder: int, name: bytes | str, seen: Seen) -> Fate:
    """Look and let go at once: nobody has moved a name here, or there is no room for one."""
    try:
        if not is_same(seen, os.stat(name, dir_fd=folder, follow_symlinks=False)):
            return Fate.OTHER
        os.unlink(name, dir_fd=folder)
    except FileNotFoundError:
        return Fate.OTHER
    return Fate.GONE


def open_file(folder: int, name: bytes | str) -> int:
    return os.open(name, _FILE, dir_fd=folder)


class Grave:
    """A name in one folder; what lies there goes as the next file takes its place."""

    def __init__(self, folder: int) -> None:
        self.name = GRAVE + os.urandom(6).hex().encode()
        self._folder = folder
        self._is_filled = False

    def remove(self, name: bytes | str, seen: Seen, *, carefully: bool) -> Fate:
        """Remove this very file and nothing that took its name; carefully asks for writers."""
        try:
            _rename(name, self.name, **self._both())
            self._is_filled = True
            fate = self._judged(seen, carefully=carefully)
            if fate is not Fate.GONE:
                self._put_back(name)
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            return Fate.OTHER
        except OSError as error:
            if error.errno in FULL:
                return remove_in_place(self._folder, name, seen)
            raise
        return fate

    def _judged(self, seen: Seen, *, carefully: bool) -> Fate:
        if not carefully:
            now = os.stat(self.name, dir_fd=self._folder, follow_symlinks=False)
            return Fate.GONE if is_same(seen, now) else Fate.OTHER
        try:
            descriptor = open_file(self._folder, self.name)
        except PermissionError:
            return Fate.WRITTEN
        except OSError:
            return Fate.OTHER
        try:
            if not is_same(seen, os.fstat(descriptor)):
                return Fate.OTHER
            return Fate.GONE if has_no_writer(descriptor) else Fate.WRITTEN
        finally:
            os.close(descriptor)

    def _put_back(self, name: bytes | str) -> None:
        """Give what came along its name back, never over a newer file of that name."""
        try:
            os.link(self.name, name, follow_symlinks=False, **self._both())
        except FileExistsError:
            restore(self._folder, self.name)
        except PermissionError:
            # A folder, which has no second name; it replaces nothing but an empty folder.
            _rename(self.name, name, **self._both())
        else:
            os.unlink(self.name, dir_fd=self._folder)
        self._is_filled = False

    def _both(self) -> dict[str, int]:
        return {"src_dir_fd": self._folder, "dst_dir_fd": self._folder}

    def close(self) -> None:
        """Finish the last removal."""
        if self._is_filled:
            os.unlink(self.name, dir_fd=self._folder)
            self._is_filled = False


def restore(folder: int, name: bytes) -> None:
    """Give what a killed run moved a name that can be seen; drop what it had begun to write."""
    if name.startswith(ASIDE):
        os.unlink(name, dir_fd=folder)
        return
    seen = b"recovered-" + name.removeprefix(GRAVE) + b".log"
    _rename(name, seen, src_dir_fd=folder, dst_dir_fd=folder)
