"""Files of this machine: read strictly, written whole or not at all, locked by flock."""

import errno
import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from opsctl.errors import BusyError, OpsctlError, RefusedError
from opsctl.systems.error_table import ErrorMeaning

PRIVATE_FILE = 0o600
PRIVATE_DIRECTORY = 0o700
TEXT_LIMIT_BYTES = 1 << 20
OTHERS = 0o077


class MissingFileError(OpsctlError):
    """There is nothing at this path."""

    code = "missing"


class FileExistsAlreadyError(OpsctlError):
    """The path exists, and must not be overwritten."""

    code = "exists"


class LeftBehindError(OpsctlError):
    """A temporary file could not be removed again: `path`."""

    code = "left_behind"

    def __init__(self, path: Path, *, why: str, hint: str) -> None:
        super().__init__(f"cannot remove the temporary file {path}", why=why, hint=hint)
        self.path = path


class DiskFullError(OpsctlError):
    """No space was left; the previous content is intact."""

    code = "disk_full"


class PathKind(StrEnum):
    NOTHING = "nothing"
    FILE = "file"
    DIRECTORY = "directory"
    OTHER = "other"


class HeldFile(Protocol):
    def write(self, text: str) -> None:
        """Record the holder in the lock file; the lock itself does not depend on the text."""
        ...


class Files(Protocol):
    def read_text(
        self, path: Path, *, limit_bytes: int = TEXT_LIMIT_BYTES, is_lenient: bool = False
    ) -> str:
        """Read it whole; `is_lenient` replaces what is not UTF-8."""
        ...

    def write_text(
        self, path: Path, text: str, *, mode: int = PRIVATE_FILE, follow_link: bool = False
    ) -> None:
        """Replace the file whole; on disk when this returns. A link is refused or followed."""
        ...

    def create_text(self, path: Path, text: str, *, mode: int = PRIVATE_FILE) -> None:
        """Create a file; never overwrite one."""
        ...

    def kind(self, path: Path) -> PathKind:
        """Return what the path is; a link is what it points to, or OTHER if it is dangling."""
        ...

    def resolve(self, path: Path) -> Path:
        """Follow every link on the way."""
        ...

    def make_dirs(self, path: Path) -> tuple[Path, ...]:
        """Create a directory and its missing parents; list the created ones, outermost first."""
        ...

    def remove(self, path: Path) -> None:
        """Remove a file or an empty directory; one that does not exist is fine."""
        ...

    def make_private_dir(self, path: Path) -> None:
        """Make it and its missing parents 0700; refuse one that others can enter."""
        ...

    def hold(self, path: Path) -> AbstractContextManager[HeldFile]:
        """Lock the file or raise BusyError at once; any death of this process frees it."""
        ...

    def is_held(self, path: Path) -> bool: ...

    def free_bytes(self, path: Path) -> int:
        """Count what this user may still write; blocks reserved for root count as used."""
        ...


_FULL_HINT = "Free some space (df -h shows where; opsctl disk retain removes old logs), then retry."
_LINK_HINT = "Name the file itself, not a link to it."
_DISK_HINT = "The disk may be failing: see dmesg, and keep a copy of what you need."
_OWNER_HINT = "Check who owns it (ls -ld), and run as that user."

BY_ERRNO: dict[int, ErrorMeaning] = {
    errno.ENOSPC: ErrorMeaning(why="the disk is full", hint=_FULL_HINT, error=DiskFullError),
    errno.EDQUOT: ErrorMeaning(
        why="the disk quota is used up", hint=_FULL_HINT, error=DiskFullError
    ),
    errno.EACCES: ErrorMeaning(why="permission denied", hint=_OWNER_HINT),
    errno.EPERM: ErrorMeaning(why="the system does not permit it", hint=_OWNER_HINT),
    errno.EROFS: ErrorMeaning(
        why="the file system is read-only", hint="See dmesg for why, then remount it."
    ),
    errno.ENOENT: ErrorMeaning(
        why="it does not exist", hint="Check the path.", error=MissingFileError
    ),
    errno.EEXIST: ErrorMeaning(why="something is there already", error=FileExistsAlreadyError),
    errno.EISDIR: ErrorMeaning(why="it is a directory, not a file", hint="Name a file."),
    errno.ENOTDIR: ErrorMeaning(
        why="a part of the path is a file, not a directory", hint="Check the path."
    ),
    errno.ELOOP: ErrorMeaning(why="it is a symbolic link", hint=_LINK_HINT),
    errno.ENAMETOOLONG: ErrorMeaning(why="the name is too long", hint="Use a shorter name."),
    errno.EFBIG: ErrorMeaning(why="the file would grow over the limit", hint="See ulimit -f."),
    errno.EIO: ErrorMeaning(why="the disk reported a read or write error", hint=_DISK_HINT),
    errno.EMFILE: ErrorMeaning(why="this process has too many files open", hint="Raise ulimit -n."),
    errno.ENFILE: ErrorMeaning(
        why="the machine has too many files open", hint="Raise fs.file-max."
    ),
    errno.ENOLCK: ErrorMeaning(
        why="the file system has no locks left", hint="Move it to a local disk."
    ),
    errno.EOPNOTSUPP: ErrorMeaning(
        why="the file system does not support it", hint="Move it to a local disk."
    ),
    errno.EXDEV: ErrorMeaning(
        why="it would cross file systems", hint="Move it to one file system."
    ),
    errno.ESTALE: ErrorMeaning(
        why="the network file system lost it", hint="Move it to a local disk."
    ),
    errno.EBUSY: ErrorMeaning(why="the system is using it", hint="Try again."),
    errno.ETXTBSY: ErrorMeaning(why="it is a program that runs", hint="Stop it first."),
    errno.ENXIO: ErrorMeaning(why="it is not a regular file", hint="Name a regular file."),
    errno.EWOULDBLOCK: ErrorMeaning(
        why="another process holds it", hint="Try again later.", error=BusyError
    ),
}


def translate(error: OSError, *, what: str) -> OpsctlError:
    """Translate an error of the system; an unknown one keeps the system's words."""
    known = BY_ERRNO.get(error.errno or 0)
    meaning = known or ErrorMeaning(why=error.strerror or str(error) or type(error).__name__)
    return meaning.error(what, why=meaning.why, hint=meaning.hint)


class LocalFiles:
    def read_text(
        self, path: Path, *, limit_bytes: int = TEXT_LIMIT_BYTES, is_lenient: bool = False
    ) -> str:
        what = f"cannot read {path}"
        with reported(what):
            data = read_regular_file(path, limit_bytes + 1)
        if len(data) > limit_bytes:
            raise OpsctlError(what, why=f"it is larger than {limit_bytes:,} bytes")
        return data.decode("utf-8", "replace") if is_lenient else _decode(data, what=what)

    def write_text(
        self, path: Path, text: str, *, mode: int = PRIVATE_FILE, follow_link: bool = False
    ) -> None:
        with reported(f"cannot write {path}"):
            target = Path(os.path.realpath(path)) if follow_link else path
            if target.is_symlink():
                raise OSError(errno.ELOOP, "a symbolic link")
            with temporary_file(target.parent, _encode(text), mode) as temporary:
                temporary.replace(target)

    def create_text(self, path: Path, text: str, *, mode: int = PRIVATE_FILE) -> None:
        # A link appears whole or not at all, and never over something that is there.
        data = _encode(text)
        with reported(f"cannot create {path}"), temporary_file(path.parent, data, mode) as made:
            os.link(made, path)

    def kind(self, path: Path) -> PathKind:
        try:
            mode = path.stat().st_mode
        except (FileNotFoundError, NotADirectoryError):
            below_a_file = any(parent.is_file() for parent in path.parents)
            return PathKind.OTHER if below_a_file or path.is_symlink() else PathKind.NOTHING
        except OSError as error:
            raise translate(error, what=f"cannot inspect {path}") from error
        if stat.S_ISDIR(mode):
            return PathKind.DIRECTORY
        return PathKind.FILE if stat.S_ISREG(mode) else PathKind.OTHER

    def resolve(self, path: Path) -> Path:
        return Path(os.path.realpath(path))

    def make_dirs(self, path: Path) -> tuple[Path, ...]:
        made: list[Path] = []
        with reported(f"cannot make the directory {path}"):
            for missing in _missing(path):
                missing.mkdir()
                made.append(missing)
        return tuple(made)

    def remove(self, path: Path) -> None:
        with reported(f"cannot remove {path}"), suppress(FileNotFoundError):
            if path.is_dir() and not path.is_symlink():
                path.rmdir()
            else:
                path.unlink()

    def make_private_dir(self, path: Path) -> None:
        what = f"cannot make the directory {path}"
        with reported(what):
            for missing in _missing(path):
                _make(missing)
            found = path.stat()
        if not stat.S_ISDIR(found.st_mode):
            raise OpsctlError(what, why="a file of that name is there")
        _refuse_shared(path, found)

    @contextmanager
    def hold(self, path: Path) -> Iterator[HeldFile]:
        what = f"cannot lock {path}"
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
        with reported(what):
            descriptor = os.open(path, flags, PRIVATE_FILE)
        try:
            with reported(what):
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield _LockedFile(path, descriptor)
        finally:
            _release(descriptor)

    def is_held(self, path: Path) -> bool:
        try:
            with reported(f"cannot check the lock {path}"):
                return _is_locked(path)
        except MissingFileError:
            return False

    def free_bytes(self, path: Path) -> int:
        with reported(f"cannot see the free space at {path}"):
            found = os.statvfs(path)
        return found.f_bavail * found.f_frsize


class _LockedFile:
    def __init__(self, path: Path, descriptor: int) -> None:
        self._path = path
        self._descriptor = descriptor

    def write(self, text: str) -> None:
        # In place: a rename would leave the lock on a file that no one finds any more.
        with reported(f"cannot write {self._path}"):
            os.ftruncate(self._descriptor, 0)
            os.pwrite(self._descriptor, text.encode("utf-8", "backslashreplace"), 0)


def _release(descriptor: int) -> None:
    # Unlocked, not only closed: a forked child may still have a copy of the descriptor.
    with suppress(OSError):
        fcntl.flock(descriptor, fcntl.LOCK_UN)
    os.close(descriptor)


def _is_locked(path: Path) -> bool:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        _release(descriptor)
    return False


def read_regular_file(path: Path, limit_bytes: int) -> bytes:
    # Without O_NONBLOCK a named pipe would keep us waiting for its writer.
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        mode = os.fstat(descriptor).st_mode
        if stat.S_ISDIR(mode):
            raise IsADirectoryError(errno.EISDIR, "a directory")
        if not stat.S_ISREG(mode):
            raise OSError(errno.ENXIO, "not a regular file")
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            return file.read(limit_bytes)
    finally:
        os.close(descriptor)


def _decode(data: bytes, *, what: str) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        why = f"line {line} is not UTF-8 (byte {error.start} is 0x{data[error.start]:02x})"
        raise OpsctlError(what, why=why, hint="Save it as UTF-8.") from error


def _encode(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


@contextmanager
def temporary_file(directory: Path, data: bytes, mode: int) -> Iterator[Path]:
    """Yield a synced temporary file beside the target; afterwards remove it and sync the names."""
    path = directory / f".opsctl-{os.urandom(8).hex()}.tmp"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
    try:
        descriptor = os.open(path, flags, PRIVATE_FILE)
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(descriptor, mode)
            file.write(data)
            file.flush()
            os.fsync(descriptor)
        yield path
    finally:
        _unlink_temporary(path)
    _sync_directory(directory)


def _unlink_temporary(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        cause = translate(error, what="")
        raise LeftBehindError(path, why=cause.why, hint=cause.hint) from error


def _sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _missing(path: Path) -> list[Path]:
    """List the missing directories, from the top down."""
    missing = [each for each in (path, *path.parents) if not os.path.lexists(each)]
    return missing[::-1]


def _make(path: Path) -> None:
    # Another process may have been quicker; the one who asked looks at what is there.
    with suppress(FileExistsError):
        path.mkdir(mode=PRIVATE_DIRECTORY)
        _sync_directory(path.parent)


def _refuse_shared(path: Path, found: os.stat_result) -> None:
    what = f"cannot keep private files in {path}"
    if found.st_mode & OTHERS:
        why = f"other users may enter it (mode {stat.S_IMODE(found.st_mode):04o})"
        raise RefusedError(what, why=why, hint=f"chmod 700 {path}")
    if os.geteuid() not in {0, found.st_uid}:
        raise RefusedError(what, why=f"user {found.st_uid} owns it", hint=_OWNER_HINT)


@contextmanager
def reported(what: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise translate(error, what=what) from error
    except ValueError as error:
        # Python's own answer to a path with a NUL in it.
        raise OpsctlError(what, why=str(error), hint="Check the path.") from error
