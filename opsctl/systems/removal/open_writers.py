"""Who writes to which file: asked of all processes, or of the kernel about one file.

A sweeper starts bare: what it imports is kept to what costs next to nothing.
"""

import fcntl
import os
import signal
import stat
from collections.abc import Iterator
from contextlib import suppress

# Device and number.
Inode = tuple[int, int]


def writers() -> Iterator[Inode]:
    """List what is open for writing, as far as we may look."""
    for process in os.scandir("/proc"):
        if process.name.isdigit():
            with suppress(OSError):
                yield from _written_by(process.name)


def _written_by(process: str) -> Iterator[Inode]:
    for entry in os.scandir(f"/proc/{process}/fd"):
        with suppress(OSError, ValueError, StopIteration):
            # The link's own mode says how it was opened.
            if entry.stat(follow_symlinks=False).st_mode & stat.S_IWUSR:
                file = entry.stat()
                if stat.S_ISREG(file.st_mode):
                    yield file.st_dev, file.st_ino


def has_no_writer(descriptor: int) -> bool:
    """Ask the kernel for a lease, which it gives only where nobody has the file open to write."""
    try:
        # Breaking a lease sends SIGIO, which ends a process; SIGURG does nothing.
        fcntl.fcntl(descriptor, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    except BlockingIOError:
        return False
    except OSError:
        # No leases here, or none for us: root has seen every process's files, others have not.
        return os.geteuid() == 0
    return True
