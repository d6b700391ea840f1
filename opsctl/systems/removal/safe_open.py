"""Which folder may be entered from which: by descriptor, in plain exceptions.

A sweeper starts bare: what it imports is kept to what costs next to nothing.
"""

import errno
import os
import stat

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC

# The names from a root down to a folder; the root itself is ().
Below = tuple[bytes, ...]


class ClosedError(Exception):
    """A folder that we do not go into, whatever the system says."""

    def __init__(self, why: str, *, hint: str = "") -> None:
        super().__init__(why)
        self.why = why
        self.hint = hint


def enter_root(root: bytes) -> int:
    """Walk from / to the root by descriptor; a link or an open door on the way is refused."""
    descriptor = os.open("/", _FOLDER)
    try:
        for part in filter(None, root.split(b"/")):
            _refuse_swappable(descriptor, part)
            descriptor = _step(descriptor, part)
        _refuse_open(descriptor)
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
            descriptor = _step(descriptor, name)
            _refuse_open(descriptor)
            _refuse_other(descriptor, mount)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _step(descriptor: int, name: bytes) -> int:
    """Go one folder down, and let the one above go."""
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


def _refuse_open(descriptor: int) -> None:
    if os.fstat(descriptor).st_mode & stat.S_IWOTH:
        raise ClosedError("every user may write to it", hint="chmod o-w")


def _refuse_other(descriptor: int, mount: str) -> None:
    if mount_of(descriptor) != mount:
        raise ClosedError("it is another mount")


def _refuse_swappable(descriptor: int, part: bytes) -> None:
    """A sticky folder is well: only the owner of an entry may move it."""
    mode = os.fstat(descriptor).st_mode
    if mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
        why = f"every user may write to the folder that {os.fsdecode(part)} is in"
        raise ClosedError(why, hint="chmod o-w")


def mount_of(descriptor: int) -> str:
    """Name the mount, not the device: a bind mount has the device of its source."""
    info = os.open(f"/proc/self/fdinfo/{descriptor}", os.O_RDONLY | os.O_CLOEXEC)
    try:
        said = os.read(info, 4096).decode("ascii")
    finally:
        os.close(info)
    fields = dict(line.split(":", 1) for line in said.splitlines() if ":" in line)
    return fields.get("mnt_id", str(os.fstat(descriptor).st_dev)).strip()
