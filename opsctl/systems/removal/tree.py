"""Trees of files, walked and thinned by descriptor: no link is followed, no mount crossed."""

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from stat import S_ISREG
from typing import NamedTuple, Protocol

from opsctl.errors import OpsctlError
from opsctl.systems.clock import Clock
from opsctl.systems.files.local import MissingFileError, translate
from opsctl.systems.removal.gzip_copy import Copied, copy_beside
from opsctl.systems.removal.open_folder import opened, opened_root, shown, told
from opsctl.systems.removal.open_writers import Inode, has_no_writer, writers
from opsctl.systems.removal.safe_open import Below
from opsctl.systems.removal.safe_remove import (
    ASIDE,
    OURS,
    QUIET_S,
    Fate,
    Grave,
    Seen,
    is_same,
    open_file,
    remove_in_place,
)

BLOCK_BYTES = 512
BATCH = 4096


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

    @property
    def seen(self) -> Seen:
        return (*self.inode, self.modified_ns, self.size)


class Folder(Protocol):
    """One open folder: what happens to its path meanwhile does not matter."""

    @property
    def below(self) -> Below: ...

    def batches(self) -> Iterator[Sequence[Found]]:
        """List its regular files, a few thousand at a time."""
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
        self._grave = Grave(descriptor)
        self._is_quiet = is_quiet
        self.below = below

    def batches(self) -> Iterator[Sequence[Found]]:
        with told(self.below, "read"), os.scandir(self._descriptor) as entries:
            while part := list(islice(entries, BATCH)):
                # In the order of the inodes: the disk reads and frees them side by side.
                part.sort(key=os.DirEntry.inode)
                yield list(_files(part))

    def look(self, name: bytes) -> Found | None:
        with suppress(FileNotFoundError):
            now = os.stat(name, dir_fd=self._descriptor, follow_symlinks=False)
            return _found(name, now) if S_ISREG(now.st_mode) else None
        return None

    def remove(self, found: Found, *, carefully: bool) -> Fate:
        try:
            if self._is_quiet and not carefully:
                return remove_in_place(self._descriptor, found.name, found.seen)
            return self._grave.remove(found.name, found.seen, carefully=carefully)
        except OSError as error:
            raise translate(error, what=f"Cannot remove from {shown(self.below)}") from error

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
            source = open_file(self._descriptor, found.name)
        except OSError:
            return None
        try:
            if not is_same(found.seen, os.fstat(source)) or not has_no_writer(source):
                return None
            aside = ASIDE + os.urandom(6).hex().encode()
            return copy_beside(self._descriptor, source, name=found.name, aside=aside)
        finally:
            os.close(source)

    def close(self) -> None:
        self._grave.close()


def _files(part: Iterable["os.DirEntry[str]"]) -> Iterator[Found]:
    for entry in part:
        if entry.name.startswith(OURS):
            continue
        try:
            now = entry.stat(follow_symlinks=False)
        except FileNotFoundError:
            continue
        if S_ISREG(now.st_mode):
            yield _found(os.fsencode(entry.name), now)


def _found(name: bytes, now: os.stat_result) -> Found:
    return Found(
        name,
        (now.st_dev, now.st_ino),
        now.st_size,
        now.st_blocks * BLOCK_BYTES,
        now.st_mtime_ns,
        now.st_nlink,
    )


def _inner_folders(root: Path, below: Below) -> Sequence[bytes]:
    with (
        opened(root, below) as descriptor,
        told(below, "read"),
        os.scandir(descriptor) as entries,
    ):
        return [os.fsencode(e.name) for e in entries if e.is_dir(follow_symlinks=False)]
