"""Down into a tree by descriptor: no link is followed, no mount crossed, no open door passed."""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

from opsctl.errors import RefusedError
from opsctl.systems.files import translate

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC

# The names from a root down to a folder; the root itself is ().
Below: TypeAlias = tuple[bytes, ...]


def shown(below: Below) -> str:
    """Say a folder's place below its root."""
    return os.fsdecode(b"/".join(below)) or "the root"


@contextmanager
def told(below: Below, doing: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise translate(error, what=f"Cannot {doing} {shown(below)}") from error


@contextmanager
def opened_root(root: Path) -> Iterator[int]:
    """Walk from / to the root by descriptor; a link or an open door on the way is refused."""
    descriptor = os.open("/", _FOLDER)
    try:
        for part in root.parts[1:]:
            _refuse_swappable(descriptor, root, part)
            descriptor = _step(descriptor, os.fsencode(part), f"Cannot enter {root}")
        _refuse_open(descriptor, f"Refused to clean {root}")
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def opened(root: Path, below: Below) -> Iterator[int]:
    with opened_root(root) as top:
        mount, descriptor = _mount_of(top), os.dup(top)
        try:
            for name in below:
                descriptor = _step(descriptor, name, "Cannot enter a folder")
                _refuse_open(descriptor, "Refused to clean a folder")
                if _mount_of(descriptor) != mount:
                    raise RefusedError("Refused to clean a folder", why="it is another mount")
            yield descriptor
        finally:
            os.close(descriptor)


def _step(descriptor: int, name: bytes, what: str) -> int:
    """Go one folder down, and let the one above go."""
    try:
        inner = os.open(name, _FOLDER, dir_fd=descriptor)
    except OSError as error:
        if error.errno == errno.ENOTDIR and _is_link(descriptor, name):
            error = OSError(errno.ELOOP, "a symbolic link")
        raise translate(error, what=what) from error
    os.close(descriptor)
    return inner


def _is_link(descriptor: int, name: bytes) -> bool:
    try:
        now = os.stat(name, dir_fd=descriptor, follow_symlinks=False)
    except OSError:
        return False
    return stat.S_ISLNK(now.st_mode)


def _refuse_open(descriptor: int, what: str) -> None:
    if os.fstat(descriptor).st_mode & stat.S_IWOTH:
        raise RefusedError(what, why="every user may write to it", hint="chmod o-w")


def _refuse_swappable(descriptor: int, root: Path, part: str) -> None:
    """A sticky folder is well: only the owner of an entry may move it."""
    mode = os.fstat(descriptor).st_mode
    if mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
        why = f"every user may write to the folder that {part} is in"
        raise RefusedError(f"Refused to clean {root}", why=why, hint="chmod o-w")


def _mount_of(descriptor: int) -> str:
    """Name the mount, not the device: a bind mount has the device of its source."""
    info = Path(f"/proc/self/fdinfo/{descriptor}").read_text("ascii")
    fields = dict(line.split(":", 1) for line in info.splitlines() if ":" in line)
    return fields.get("mnt_id", str(os.fstat(descriptor).st_dev)).strip()
