"""Writes a compressed copy of a file beside it: whole and on the disk before it has a name."""

import gzip
import os
import shutil
from contextlib import suppress
from dataclasses import dataclass

ENDING = b".gz"
# What is small already.
PACKED = (b".gz", b".zst", b".xz", b".bz2", b".zip", b".lz4")
LEVEL = 6
CHUNK_BYTES = 1 << 20
_ASIDE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class Copied:
    """A copy that has its name; `is_new` says that we gave it to it."""

    name: bytes
    on_disk_bytes: int
    is_new: bool


def copy_beside(folder: int, source: int, *, name: bytes, aside: bytes) -> Copied | None:
    """Make NAME.gz of an open file; None where something else has that name."""
    target = os.open(aside, _ASIDE, 0o600, dir_fd=folder)
    try:
        now = os.fstat(source)
        _write(source, target, mtime=int(now.st_mtime))
        _dress(target, now)
        os.fsync(target)
        size = os.fstat(target).st_blocks * 512
        is_new = _named(folder, aside, name + ENDING)
        os.fsync(folder)
    finally:
        os.close(target)
        os.unlink(aside, dir_fd=folder)
    if is_new or _is_ours(folder, name + ENDING, now):
        return Copied(name + ENDING, size, is_new)
    return None


def _write(source: int, target: int, *, mtime: int) -> None:
    with (
        os.fdopen(target, "wb", closefd=False) as out,
        gzip.GzipFile("", "wb", LEVEL, out, mtime=mtime) as packed,
        os.fdopen(source, "rb", closefd=False) as original,
    ):
        shutil.copyfileobj(original, packed, CHUNK_BYTES)


def _dress(target: int, like: os.stat_result) -> None:
    """Give it the age, the mode and the owner of what it replaces."""
    with suppress(PermissionError):
        os.fchown(target, like.st_uid, like.st_gid)
    os.fchmod(target, like.st_mode & 0o777)
    os.utime(target, ns=(like.st_atime_ns, like.st_mtime_ns))


def _named(folder: int, aside: bytes, name: bytes) -> bool:
    try:
        os.link(aside, name, src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=False)
    except FileExistsError:
        return False
    return True


def _is_ours(folder: int, name: bytes, like: os.stat_result) -> bool:
    """A killed run may have come this far; its copy has the very age of the original."""
    there = os.stat(name, dir_fd=folder, follow_symlinks=False)
    return there.st_mtime_ns == like.st_mtime_ns and there.st_uid == like.st_uid
