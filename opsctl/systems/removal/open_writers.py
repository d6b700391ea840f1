"""Which files are open for writing: from all processes, or from the kernel for one file.

The worker process starts without site: import only what costs next to nothing here.
"""

import fcntl
import os
import signal
import stat
from collections.abc import Iterator
from contextlib import suppress

# Device and number.
Inode = tuple[int, int]


def list_written() -> Iterator[Inode]:
    """List the files that some process has open for writing, as far as permissions allow."""
    for process in os.scandir("/proc"):
        if process.name.isdigit():
            with suppress(OSError):
                yield from _written_by(process.name)


def _written_by(process: str) -> Iterator[Inode]:
    for entry in os.scandir(f"/proc/{process}/fd"):
        with suppress(OSError, ValueError, StopIteration):
            # The link's own mode shows how the file was opened.
            if entry.stat(follow_symlinks=False).st_mode & stat.S_IWUSR:
                file = entry.stat()
                if stat.S_ISREG(file.st_mode):
                    yield file.st_dev, file.st_ino


def has_no_writer(descriptor: int) -> bool:
    """Ask the kernel for a lease: it grants one only if no process has the file open to write."""
    try:
        # Breaking a lease sends SIGIO, which ends a process; SIGURG does nothing.
        fcntl.fcntl(descriptor, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    except BlockingIOError:
        return False
    except OSError:
        # No leases here, or none for us: root has seen the files of every process, others have not.
        return os.geteuid() == 0
    return True
