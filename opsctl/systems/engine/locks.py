"""Locks that all users of one engine share: on its machine, and freed when their holder ends."""

import contextlib
import errno
import fcntl
import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol

from opsctl.errors import BusyError, OpsctlError
from opsctl.systems.clock import Clock

POLL_S = 0.1
# A new holder needs a moment to write its name.
GRACE_S = 0.2
# Everyone may lock it; the holder records its name inside.
SHARED = 0o666
NAME_LIMIT_BYTES = 4096
RECORD_LIMIT_BYTES = 8192


@dataclass(frozen=True, slots=True)
class Claim:
    """Who holds a lock, since when (as text, in UTC), and what for."""

    who: str
    pid: int
    since: str
    purpose: str

    @property
    def said(self) -> str:
        if not self.who:
            return "held by someone whose name is not recorded"
        return f"held by {self.who} (pid {self.pid}) since {self.since} for: {self.purpose}"


class EngineLocks(Protocol):
    def hold(
        self, project: str, engine: str, claim: Claim, *, wait_s: float
    ) -> AbstractContextManager[None]:
        """Hold the lock of this project on this engine, or raise BusyError naming the holder."""
        ...

    def holder(self, project: str, engine: str) -> Claim | None:
        """Return its holder; None if it is free."""
        ...

    def manual_lock(self, project: str, engine: str) -> str:
        """Read the record of the lock that a person set; empty if there is none."""
        ...

    def set_manual_lock(self, project: str, engine: str, record: str) -> None:
        """Replace the record; an empty one lifts the lock."""
        ...


def lock_path(directory: Path, project: str, engine: str) -> Path:
    """Name the file by the engine's own id: one engine has many addresses."""
    digest = hashlib.sha256(engine.encode()).hexdigest()[:12]
    return directory / f"opsctl-{project}-{digest}.lock"


def manual_lock_path(directory: Path, project: str, engine: str) -> Path:
    """Name the file beside the lock: it stays until a person empties it."""
    return lock_path(directory, project, engine).with_suffix(".locked")


def busy(project: str, claim: Claim, path: Path, *, wait_s: float) -> BusyError:
    waited = f" after waiting {wait_s:g} s" if wait_s else ""
    return BusyError(
        f"{project} is being changed by someone else{waited}",
        why=f"{claim.said} (file: {path})",
        hint="Try again later, or wait for it: --lock-timeout 300",
    )


class HostLocks:
    """flock in a directory that every user of this machine may write to, /run/lock by default."""

    def __init__(self, directory: Path, clock: Clock) -> None:
        self._directory = directory
        self._clock = clock

    @contextmanager
    def hold(self, project: str, engine: str, claim: Claim, *, wait_s: float) -> Iterator[None]:
        path = lock_path(self._directory, project, engine)
        descriptor = _opened(path)
        try:
            self._take(descriptor, path, project, wait_s=wait_s)
            _write(descriptor, json.dumps(asdict(claim)))
            try:
                yield
            finally:
                _write(descriptor, "")
                fcntl.flock(descriptor, fcntl.LOCK_UN)
        finally:
            os.close(descriptor)

    def holder(self, project: str, engine: str) -> Claim | None:
        path = lock_path(self._directory, project, engine)
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        except OSError:
            return None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return _read(descriptor)
        finally:
            os.close(descriptor)
        return None

    def manual_lock(self, project: str, engine: str) -> str:
        path = manual_lock_path(self._directory, project, engine)
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
        except FileNotFoundError:
            return ""
        except OSError as error:
            raise _unlockable(path, error) from error
        try:
            return os.pread(descriptor, RECORD_LIMIT_BYTES, 0).decode(errors="replace")
        finally:
            os.close(descriptor)

    def set_manual_lock(self, project: str, engine: str, record: str) -> None:
        path = manual_lock_path(self._directory, project, engine)
        descriptor = _opened(path)
        try:
            # Never empty in between: whoever looks meanwhile sees the old record or the new one.
            os.pwrite(descriptor, record.encode(), 0)
            os.ftruncate(descriptor, len(record.encode()))
        except OSError as error:
            raise _unlockable(path, error) from error
        finally:
            os.close(descriptor)

    def _take(self, descriptor: int, path: Path, project: str, *, wait_s: float) -> None:
        end = self._clock.steady() + max(wait_s, GRACE_S)
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                if self._clock.steady() >= end:
                    raise busy(project, _read(descriptor), path, wait_s=wait_s) from error
            else:
                return
            self._clock.sleep(POLL_S)


def _opened(path: Path) -> int:
    """Open the file, made if need be so that every user can lock it; never follow a link."""
    flags = os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
    try:
        with contextlib.suppress(FileNotFoundError):
            # Not with O_CREAT: in a sticky directory the kernel refuses that for another's file.
            return os.open(path, flags)
        descriptor = os.open(path, flags | os.O_CREAT, SHARED)
        with contextlib.suppress(PermissionError):
            os.fchmod(descriptor, SHARED)
    except OSError as error:
        raise _unlockable(path, error) from error
    return descriptor


def _unlockable(path: Path, error: OSError) -> OpsctlError:
    hint = f"Set deploy.lock_dir to a directory that all deployers may write to, not {path.parent}"
    if error.errno == errno.ELOOP:
        hint = f"The path is a symbolic link; check it: ls -l {path}"
    return OpsctlError(f"cannot open the lock {path}", why=error.strerror or "", hint=hint)


def _write(descriptor: int, text: str) -> None:
    # On a full disk nothing can be written, but the lock works without the text.
    with contextlib.suppress(OSError):
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, text.encode(), 0)


def _read(descriptor: int) -> Claim:
    return read_claim(os.pread(descriptor, NAME_LIMIT_BYTES, 0).decode(errors="replace"))


def read_claim(text: str) -> Claim:
    """Read what a holder recorded; other content means an unknown holder."""
    try:
        raw = json.loads(text)
        return Claim(str(raw["who"]), int(raw["pid"]), str(raw["since"]), str(raw["purpose"]))
    except (ValueError, KeyError, TypeError):
        return Claim("", 0, "", "")
