"""Writes a compressed copy of a file beside it: whole and on the disk before it has a name."""

import gzip
import os
import shutil
from contextlib import suppress
from dataclasses import dataclass

SUFFIX = b".gz"
# Compressed already.
COMPRESSED_SUFFIXES = (b".gz", b".zst", b".xz", b".bz2", b".zip", b".lz4")
LEVEL = 6
CHUNK_BYTES = 1 << 20
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class GzipCopy:
    """A finished copy; `is_new` if this call created it."""

    name: bytes
    on_disk_bytes: int
    is_new: bool


def copy_beside(folder: int, source: int, *, name: bytes, temporary: bytes) -> GzipCopy | None:
    """Create NAME.gz from an open file; None if something else has that name."""
    target = os.open(temporary, _NEW_FILE, 0o600, dir_fd=folder)
    try:
        now = os.fstat(source)
        _write(source, target, mtime=int(now.st_mtime))
        _copy_metadata(target, now)
        os.fsync(target)
        size = os.fstat(target).st_blocks * 512
        is_new = _link(folder, temporary, name + SUFFIX)
        os.fsync(folder)
    finally:
        os.close(target)
        os.unlink(temporary, dir_fd=folder)
    if is_new or _is_our_copy(folder, name + SUFFIX, now):
        return GzipCopy(name + SUFFIX, size, is_new)
    return None


def _write(source: int, target: int, *, mtime: int) -> None:
    with (
        os.fdopen(target, "wb", closefd=False) as out,
        gzip.GzipFile("", "wb", LEVEL, out, mtime=mtime) as packed,
        os.fdopen(source, "rb", closefd=False) as original,
    ):
        shutil.copyfileobj(original, packed, CHUNK_BYTES)


def _copy_metadata(target: int, like: os.stat_result) -> None:
    """Give it the times, mode and owner of the file that it replaces."""
    with suppress(PermissionError):
        os.fchown(target, like.st_uid, like.st_gid)
    os.fchmod(target, like.st_mode & 0o777)
    os.utime(target, ns=(like.st_atime_ns, like.st_mtime_ns))


def _link(folder: int, temporary: bytes, name: bytes) -> bool:
    try:
        os.link(temporary, name, src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=False)
    except FileExistsError:
        return False
    return True


def _is_our_copy(folder: int, name: bytes, like: os.stat_result) -> bool:
    """Recognize the copy of a killed run: it has the modification time of the original."""
    existing = os.stat(name, dir_fd=folder, follow_symlinks=False)
    return existing.st_mtime_ns == like.st_mtime_ns and existing.st_uid == like.st_uid
