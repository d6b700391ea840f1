"""Trees of files, walked and thinned by descriptor: no link is followed, no mount crossed."""

import errno
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import NamedTuple, Protocol

from opsctl.errors import OpsctlError
from opsctl.systems.clock import Clock
from opsctl.systems.descent import Below, opened, opened_root, shown, told
from opsctl.systems.files import MissingFileError, translate
from opsctl.systems.squeeze import Copied, copy_beside
from opsctl.systems.writers import Inode, has_no_writer, writers

# What we move out of the way, and what we write aside; a kill may leave one behind.
OURS = ".opsctl-"
GRAVE = b".opsctl-grave-"
ASIDE = b".opsctl-aside-"
BLOCK_BYTES = 512
BATCH = 4096
# Rotation moves names in a burst; in a folder that was still for so long none is going on.
QUIET_S = 10.0
FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class Found(NamedTuple):
    """A regular file as it was seen; what has its name later may be another."""

    name: bytes
    inode: Inode
    size: int
    on_disk_bytes: int
    modified_ns: int
    links: int

    @property
    def frees_bytes(self) -> int:
        """What the disk gets back: nothing while another name leads to it."""
        return self.on_disk_bytes if self.links == 1 else 0


class Fate(StrEnum):
    """What became of a file that was to go."""

    GONE = "gone"
    OTHER = "other"
    """Something else has its name by now, or nothing; that was left."""
    WRITTEN = "written"
    """Somebody has it open for writing, or nobody could tell; it was left."""


class Folder(Protocol):
    """One open folder: what happens to its path meanwhile does not matter."""

    @property
    def below(self) -> Below: ...

    def batches(self) -> Iterator[Sequence[Found]]:
        """List its regular files, hard links among them, a few thousand at a time."""
        ...

    @property
    def left_overs(self) -> Sequence[bytes]:
        """Name what a killed run left here, as far as it was listed."""
        ...

    def look(self, name: bytes) -> Found | None:
        """Say what has this name now; None where it is no regular file."""
        ...

    def remove(self, found: Found, *, carefully: bool) -> Fate:
        """Remove this very file and nothing that took its name; carefully asks for writers."""
        ...

    def compress(self, found: Found) -> int | None:
        """Put NAME.gz in its place, with its age; say what that saves, None where it was left."""
        ...

    def restore(self, name: bytes) -> None:
        """Give what a killed run moved a name that can be seen; drop what it had begun to write."""
        ...

    def close(self) -> None:
        """Finish the last removal."""
        ...


@dataclass(frozen=True, slots=True)
class Skipped:
    """A folder that was not entered, and why."""

    below: Below
    why: str


class Trees(Protocol):
    def folders(self, root: Path) -> Iterator[Below | Skipped]:
        """Walk the folders below a root on its own mount, the root first."""
        ...

    def open(self, root: Path, below: Below) -> AbstractContextManager[Folder]: ...

    def writers(self) -> frozenset[Inode]:
        """List the files that some process has open for writing, as far as we may look."""
        ...


class LocalTrees:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def folders(self, root: Path) -> Iterator[Below | Skipped]:
        with opened_root(root):
            pass
        waiting: list[Below] = [()]
        while waiting:
            below = waiting.pop()
            try:
                inner = _inner_folders(root, below)
            except MissingFileError:
                continue
            except OpsctlError as error:
                yield Skipped(below, error.why or error.what)
                continue
            waiting += [(*below, name) for name in sorted(inner, reverse=True)]
            yield below

    @contextmanager
    def open(self, root: Path, below: Below) -> Iterator[Folder]:
        with opened(root, below) as descriptor:
            changed_ns = os.fstat(descriptor).st_mtime_ns
            quiet_s = self._clock.now().timestamp() - changed_ns / 1e9
            folder = LocalFolder(descriptor, below, is_quiet=quiet_s > QUIET_S)
            try:
                yield folder
            finally:
                folder.close()

    def writers(self) -> frozenset[Inode]:
        return frozenset(writers())


class LocalFolder:
    def __init__(self, descriptor: int, below: Below = (), *, is_quiet: bool = False) -> None:
        self._descriptor = descriptor
        self._grave = GRAVE + os.urandom(6).hex().encode()
        self._is_filled = False
        self._is_quiet = is_quiet
        self.below = below
        self.left_overs: list[bytes] = []

    def batches(self) -> Iterator[Sequence[Found]]:
        with told(self.below, "read"), os.scandir(self._descriptor) as entries:
            while part := list(islice(entries, BATCH)):
                # In the order of the inodes: the disk reads and frees them side by side.
                part.sort(key=os.DirEntry.inode)
                self._note_left_overs(part)
                yield [file for entry in part if (file := _file(entry))]

    def _note_left_overs(self, part: Sequence["os.DirEntry[str]"]) -> None:
        ours = (os.fsencode(entry.name) for entry in part if entry.name.startswith(OURS))
        self.left_overs += [name for name in ours if name != self._grave]

    def look(self, name: bytes) -> Found | None:
        with suppress(FileNotFoundError):
            now = os.stat(name, dir_fd=self._descriptor, follow_symlinks=False)
            return _found(name, now)
        return None

    def remove(self, found: Found, *, carefully: bool) -> Fate:
        """Look, and let go; where names move, under a name that only we know.

        There the file before it goes as this one takes its place: one step instead of two.
        """
        if self._is_quiet and not carefully:
            return self._remove_in_place(found)
        folder = self._descriptor
        try:
            _rename(found.name, self._grave, src_dir_fd=folder, dst_dir_fd=folder)
            self._is_filled = True
            fate = self._judged(found, carefully=carefully)
            if fate is not Fate.GONE:
                self._put_back(found.name)
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            return Fate.OTHER
        except OSError as error:
            if error.errno in FULL:
                return self._remove_in_place(found)
            raise translate(error, what=f"Cannot remove from {shown(self.below)}") from error
        return fate

    def _remove_in_place(self, found: Found) -> Fate:
        """Look and let go at once: nobody has moved a name here, or there is no room for one."""
        folder = self._descriptor
        try:
            if not _is_same(found, os.stat(found.name, dir_fd=folder, follow_symlinks=False)):
                return Fate.OTHER
            os.unlink(found.name, dir_fd=folder)
        except FileNotFoundError:
            return Fate.OTHER
        except OSError as error:
            raise translate(error, what=f"Cannot remove from {shown(self.below)}") from error
        return Fate.GONE

    def _judged(self, found: Found, *, carefully: bool) -> Fate:
        if not carefully:
            now = os.stat(self._grave, dir_fd=self._descriptor, follow_symlinks=False)
            return Fate.GONE if _is_same(found, now) else Fate.OTHER
        try:
            descriptor = os.open(self._grave, _FILE, dir_fd=self._descriptor)
        except PermissionError:
            return Fate.WRITTEN
        except OSError:
            return Fate.OTHER
        try:
            if not _is_same(found, os.fstat(descriptor)):
                return Fate.OTHER
            return Fate.GONE if has_no_writer(descriptor) else Fate.WRITTEN
        finally:
            os.close(descriptor)

    def _put_back(self, name: bytes) -> None:
        """Give what came along its name back, never over a newer file of that name."""
        try:
            os.link(self._grave, name, follow_symlinks=False, **self._both())
        except FileExistsError:
            self.restore(self._grave)
        except PermissionError:
            # A folder, which has no second name; it replaces nothing but an empty folder.
            _rename(self._grave, name, **self._both())
        else:
            os.unlink(self._grave, dir_fd=self._descriptor)
        self._is_filled = False

    def compress(self, found: Found) -> int | None:
        with told(self.below, "compress in"):
            copied = self._copied(found)
        if copied is None:
            return None
        if self.remove(found, carefully=True) is not Fate.GONE:
            if copied.is_new:
                os.unlink(copied.name, dir_fd=self._descriptor)
            return None
        return max(0, found.on_disk_bytes - copied.on_disk_bytes)

    def _copied(self, found: Found) -> Copied | None:
        try:
            source = os.open(found.name, _FILE, dir_fd=self._descriptor)
        except OSError:
            return None
        try:
            if not _is_same(found, os.fstat(source)) or not has_no_writer(source):
                return None
            aside = ASIDE + os.urandom(6).hex().encode()
            return copy_beside(self._descriptor, source, name=found.name, aside=aside)
        finally:
            os.close(source)

    def restore(self, name: bytes) -> None:
        with told(self.below, "tidy"):
            self._restore(name)

    def _restore(self, name: bytes) -> None:
        if name.startswith(ASIDE):
            os.unlink(name, dir_fd=self._descriptor)
            return
        seen = b"recovered-" + name.removeprefix(GRAVE) + b".log"
        _rename(name, seen, **self._both())

    def _both(self) -> dict[str, int]:
        return {"src_dir_fd": self._descriptor, "dst_dir_fd": self._descriptor}

    def close(self) -> None:
        if self._is_filled:
            os.unlink(self._grave, dir_fd=self._descriptor)
            self._is_filled = False


# By descriptor, which pathlib cannot.
_rename = os.rename


def _file(entry: "os.DirEntry[str]") -> Found | None:
    if entry.name.startswith(OURS):
        return None
    try:
        now = entry.stat(follow_symlinks=False)
    except FileNotFoundError:
        return None
    return _found(os.fsencode(entry.name), now)


def _found(name: bytes, now: os.stat_result) -> Found | None:
    if not stat.S_ISREG(now.st_mode):
        return None
    return Found(
        name,
        (now.st_dev, now.st_ino),
        now.st_size,
        now.st_blocks * BLOCK_BYTES,
        now.st_mtime_ns,
        now.st_nlink,
    )


def _is_same(found: Found, now: os.stat_result) -> bool:
    return (
        now.st_ino == found.inode[1]
        and now.st_dev == found.inode[0]
        and now.st_mtime_ns == found.modified_ns
        and now.st_size == found.size
        and stat.S_ISREG(now.st_mode)
    )


def _inner_folders(root: Path, below: Below) -> Sequence[bytes]:
    with (
        opened(root, below) as descriptor,
        told(below, "read"),
        os.scandir(descriptor) as entries,
    ):
        return [os.fsencode(e.name) for e in entries if e.is_dir(follow_symlinks=False)]
