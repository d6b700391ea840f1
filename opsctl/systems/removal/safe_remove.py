"""Removes exactly the file that was seen: where names may move, under a name only we know.

The worker process starts without site: import only what costs next to nothing here.
"""

import errno
import os
from enum import StrEnum
from stat import S_ISREG

from opsctl.systems.removal.open_writers import has_no_writer

# Files that we moved before their removal, and copies being written; a kill may leave one.
OURS = ".opsctl-"
MOVED = b".opsctl-removing-"
UNFINISHED = b".opsctl-unfinished-"
# Rotation renames in a burst; in a folder unchanged for so long none is in progress.
QUIET_S = 10
FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
# By descriptor, which pathlib cannot do.
_rename = os.rename

# Device, inode, modification time in nanoseconds and size of a file when it was seen.
FileIdentity = tuple[int, int, int, int]


class FileOutcome(StrEnum):
    """What happened to a file that was due."""

    REMOVED = "removed"
    REPLACED = "replaced"
    """Its name now belongs to another file, or to none; that was left alone."""
    WRITTEN = "written"
    """Some process may have it open for writing; it was left alone."""


def is_same(seen: FileIdentity, now: os.stat_result) -> bool:
    is_it = (now.st_dev, now.st_ino, now.st_mtime_ns, now.st_size) == seen
    return is_it and S_ISREG(now.st_mode)


def remove_in_place(folder: int, name: bytes | str, seen: FileIdentity) -> FileOutcome:
    """Check and unlink at once: for quiet folders, and where a full disk allows no new name."""
    try:
        if not is_same(seen, os.stat(name, dir_fd=folder, follow_symlinks=False)):
            return FileOutcome.REPLACED
        os.unlink(name, dir_fd=folder)
    except FileNotFoundError:
        return FileOutcome.REPLACED
    return FileOutcome.REMOVED


def open_file(folder: int, name: bytes | str) -> int:
    return os.open(name, _FILE, dir_fd=folder)


class SafeRemover:
    """Removes files of one folder: each is first moved to a hidden name and checked there.

    Moving the next file there removes the one before.
    """

    def __init__(self, folder: int) -> None:
        self.name = MOVED + os.urandom(6).hex().encode()
        self._folder = folder
        self._has_file = False

    def remove(self, name: bytes | str, seen: FileIdentity, *, carefully: bool) -> FileOutcome:
        """Remove this very file and nothing that took its name; carefully checks for writers."""
        try:
            _rename(name, self.name, **self._in_folder())
            self._has_file = True
            outcome = self._check(seen, carefully=carefully)
            if outcome is not FileOutcome.REMOVED:
                self._put_back(name)
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            return FileOutcome.REPLACED
        except OSError as error:
            if error.errno in FULL:
                return remove_in_place(self._folder, name, seen)
            raise
        return outcome

    def _check(self, seen: FileIdentity, *, carefully: bool) -> FileOutcome:
        if not carefully:
            now = os.stat(self.name, dir_fd=self._folder, follow_symlinks=False)
            return FileOutcome.REMOVED if is_same(seen, now) else FileOutcome.REPLACED
        try:
            descriptor = open_file(self._folder, self.name)
        except PermissionError:
            return FileOutcome.WRITTEN
        except OSError:
            return FileOutcome.REPLACED
        try:
            if not is_same(seen, os.fstat(descriptor)):
                return FileOutcome.REPLACED
            return FileOutcome.REMOVED if has_no_writer(descriptor) else FileOutcome.WRITTEN
        finally:
            os.close(descriptor)

    def _put_back(self, name: bytes | str) -> None:
        """Give a file that must stay its name back, never over a newer file of that name."""
        try:
            os.link(self.name, name, follow_symlinks=False, **self._in_folder())
        except FileExistsError:
            recover(self._folder, self.name)
        except PermissionError:
            # A folder cannot be linked; renaming it can replace nothing but an empty folder.
            _rename(self.name, name, **self._in_folder())
        else:
            os.unlink(self.name, dir_fd=self._folder)
        self._has_file = False

    def _in_folder(self) -> dict[str, int]:
        return {"src_dir_fd": self._folder, "dst_dir_fd": self._folder}

    def close(self) -> None:
        """Finish the last removal."""
        if self._has_file:
            os.unlink(self.name, dir_fd=self._folder)
            self._has_file = False


def recover(folder: int, name: bytes) -> None:
    """Give what a killed run moved a visible name; delete what it was still writing."""
    if name.startswith(UNFINISHED):
        os.unlink(name, dir_fd=folder)
        return
    visible = b"recovered-" + name.removeprefix(MOVED) + b".log"
    _rename(name, visible, src_dir_fd=folder, dst_dir_fd=folder)
