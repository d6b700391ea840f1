"""Walks trees of files and removes some, by descriptor: follows no links, crosses no mounts."""

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
from opsctl.systems.removal.gzip_copy import GzipCopy, copy_beside
from opsctl.systems.removal.open_folder import format_folder, open_below, open_root, reported
from opsctl.systems.removal.open_writers import Inode, has_no_writer, list_written
from opsctl.systems.removal.safe_open import Below
from opsctl.systems.removal.safe_remove import (
    OURS,
    QUIET_S,
    UNFINISHED,
    FileIdentity,
    FileOutcome,
    SafeRemover,
    is_same,
    open_file,
    remove_in_place,
)

BLOCK_BYTES = 512
BATCH = 4096


class FoundFile(NamedTuple):
    """A regular file when it was seen; the name may belong to another file later."""

    name: bytes
    inode: Inode
    size: int
    on_disk_bytes: int
    modified_ns: int
    links: int

    @property
    def frees_bytes(self) -> int:
        """What the disk gets back: nothing while the file has another name."""
        return self.on_disk_bytes if self.links == 1 else 0

    @property
    def identity(self) -> FileIdentity:
        return (*self.inode, self.modified_ns, self.size)


class TreeFolder(Protocol):
    """One open folder; its path may change meanwhile."""

    @property
    def below(self) -> Below: ...

    def batches(self) -> Iterator[Sequence[FoundFile]]:
        """List its regular files, a few thousand at a time."""
        ...

    def find(self, name: bytes) -> FoundFile | None:
        """Return the file that has this name now; None if it is not a regular file."""
        ...

    def remove(self, found: FoundFile, *, carefully: bool) -> FileOutcome:
        """Remove this very file and nothing that took its name; carefully checks for writers."""
        ...

    def compress(self, found: FoundFile) -> int | None:
        """Replace it by NAME.gz with its times; return the bytes saved, None if it stayed."""
        ...

    def close(self) -> None:
        """Finish the last removal."""
        ...


@dataclass(frozen=True, slots=True)
class SkippedFolder:
    """A folder that was not entered, and why."""

    below: Below
    why: str


class Trees(Protocol):
    def folders(self, root: Path) -> Iterator[Below | SkippedFolder]:
        """Walk the folders below a root on its own mount, the root first."""
        ...

    def open(self, root: Path, below: Below) -> AbstractContextManager[TreeFolder]: ...

    def list_written(self) -> frozenset[Inode]:
        """List the files that some process has open for writing, as far as permissions allow."""
        ...


class LocalTrees:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def folders(self, root: Path) -> Iterator[Below | SkippedFolder]:
        with open_root(root):
            pass
        waiting: list[Below] = [()]
        while waiting:
            below = waiting.pop()
            try:
                inner = _inner_folders(root, below)
            except MissingFileError:
                continue
            except OpsctlError as error:
                yield SkippedFolder(below, error.why or error.what)
                continue
            waiting += [(*below, name) for name in sorted(inner, reverse=True)]
            yield below

    @contextmanager
    def open(self, root: Path, below: Below) -> Iterator[TreeFolder]:
        with open_below(root, below) as descriptor:
            changed_ns = os.fstat(descriptor).st_mtime_ns
            quiet_s = self._clock.now().timestamp() - changed_ns / 1e9
            folder = LocalTreeFolder(descriptor, below, is_quiet=quiet_s > QUIET_S)
            try:
                yield folder
            finally:
                folder.close()

    def list_written(self) -> frozenset[Inode]:
        return frozenset(list_written())


class LocalTreeFolder:
    def __init__(self, descriptor: int, below: Below = (), *, is_quiet: bool = False) -> None:
        self._descriptor = descriptor
        self._remover = SafeRemover(descriptor)
        self._is_quiet = is_quiet
        self.below = below

    def batches(self) -> Iterator[Sequence[FoundFile]]:
        with reported(self.below, "read"), os.scandir(self._descriptor) as entries:
            while part := list(islice(entries, BATCH)):
                # In the order of the inodes: the disk reads and frees them side by side.
                part.sort(key=os.DirEntry.inode)
                yield list(_files(part))

    def find(self, name: bytes) -> FoundFile | None:
        with suppress(FileNotFoundError):
            now = os.stat(name, dir_fd=self._descriptor, follow_symlinks=False)
            return _found(name, now) if S_ISREG(now.st_mode) else None
        return None

    def remove(self, found: FoundFile, *, carefully: bool) -> FileOutcome:
        try:
            if self._is_quiet and not carefully:
                return remove_in_place(self._descriptor, found.name, found.identity)
            return self._remover.remove(found.name, found.identity, carefully=carefully)
        except OSError as error:
            raise translate(
                error, what=f"cannot remove from {format_folder(self.below)}"
            ) from error

    def compress(self, found: FoundFile) -> int | None:
        with reported(self.below, "compress in"):
            copied = self._copied(found)
        if copied is None:
            return None
        if self.remove(found, carefully=True) is not FileOutcome.REMOVED:
            if copied.is_new:
                os.unlink(copied.name, dir_fd=self._descriptor)
            return None
        return max(0, found.on_disk_bytes - copied.on_disk_bytes)

    def _copied(self, found: FoundFile) -> GzipCopy | None:
        try:
            source = open_file(self._descriptor, found.name)
        except OSError:
            return None
        try:
            if not is_same(found.identity, os.fstat(source)) or not has_no_writer(source):
                return None
            temporary = UNFINISHED + os.urandom(6).hex().encode()
            return copy_beside(self._descriptor, source, name=found.name, temporary=temporary)
        finally:
            os.close(source)

    def close(self) -> None:
        self._remover.close()


def _files(part: Iterable["os.DirEntry[str]"]) -> Iterator[FoundFile]:
    for entry in part:
        if entry.name.startswith(OURS):
            continue
        try:
            now = entry.stat(follow_symlinks=False)
        except FileNotFoundError:
            continue
        if S_ISREG(now.st_mode):
            yield _found(os.fsencode(entry.name), now)


def _found(name: bytes, now: os.stat_result) -> FoundFile:
    return FoundFile(
        name,
        (now.st_dev, now.st_ino),
        now.st_size,
        now.st_blocks * BLOCK_BYTES,
        now.st_mtime_ns,
        now.st_nlink,
    )


def _inner_folders(root: Path, below: Below) -> Sequence[bytes]:
    with (
        open_below(root, below) as descriptor,
        reported(below, "read"),
        os.scandir(descriptor) as entries,
    ):
        return [os.fsencode(e.name) for e in entries if e.is_dir(follow_symlinks=False)]
