"""Enters folders by descriptor, and refuses unsafe ones; raises plain exceptions.

The worker process starts without site: import only what costs next to nothing here.
"""

import errno
import os
import stat

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC

# The names from a root down to a folder; the root itself is ().
Below = tuple[bytes, ...]


class UnsafeFolderError(Exception):
    """A folder that is not entered although the system would allow it."""

    def __init__(self, why: str, *, hint: str = "") -> None:
        super().__init__(why)
        self.why = why
        self.hint = hint


def enter_root(root: bytes) -> int:
    """Walk from / to the root; refuse links and world-writable folders on the way."""
    descriptor = os.open("/", _FOLDER)
    try:
        for part in filter(None, root.split(b"/")):
            _refuse_swappable(descriptor, part)
            descriptor = _enter_next(descriptor, part)
        _refuse_world_writable(descriptor)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def enter(top: int, below: Below) -> int:
    """Walk from an open root down; the root itself stays open."""
    descriptor = os.dup(top)
    try:
        mount = mount_of(top) if below else ""
        for name in below:
            descriptor = _enter_next(descriptor, name)
            _refuse_world_writable(descriptor)
            _refuse_other_mount(descriptor, mount)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _enter_next(descriptor: int, name: bytes) -> int:
    """Open the next folder down, and close the one above."""
    try:
        inner = os.open(name, _FOLDER, dir_fd=descriptor)
    except NotADirectoryError as error:
        if _is_link(descriptor, name):
            raise OSError(errno.ELOOP, "a symbolic link") from error
        raise
    os.close(descriptor)
    return inner


def _is_link(descriptor: int, name: bytes) -> bool:
    try:
        now = os.stat(name, dir_fd=descriptor, follow_symlinks=False)
    except OSError:
        return False
    return stat.S_ISLNK(now.st_mode)


def _refuse_world_writable(descriptor: int) -> None:
    if os.fstat(descriptor).st_mode & stat.S_IWOTH:
        raise UnsafeFolderError("every user may write to it", hint="chmod o-w")


def _refuse_other_mount(descriptor: int, mount: str) -> None:
    if mount_of(descriptor) != mount:
        raise UnsafeFolderError("it is another mount")


def _refuse_swappable(descriptor: int, part: bytes) -> None:
    """A sticky folder is fine: only the owner of an entry may move it."""
    mode = os.fstat(descriptor).st_mode
    if mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
        why = f"every user may write to the folder that {os.fsdecode(part)} is in"
        raise UnsafeFolderError(why, hint="chmod o-w")


def mount_of(descriptor: int) -> str:
    """Name the mount, not the device: a bind mount has the device of its source."""
    info = os.open(f"/proc/self/fdinfo/{descriptor}", os.O_RDONLY | os.O_CLOEXEC)
    try:
        text = os.read(info, 4096).decode("ascii")
    finally:
        os.close(info)
    fields = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
    return fields.get("mnt_id", str(os.fstat(descriptor).st_dev)).strip()
