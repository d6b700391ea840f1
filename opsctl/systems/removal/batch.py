"""Files of one folder that are removed together, with the folder held open.

The worker process starts without site: import only what costs next to nothing here.
"""

import os
from array import array

from opsctl.systems.removal.safe_open import Below

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

BLOCK_BYTES = 512


class OpenFolder:
    """One open folder; it is closed with its last batch."""

    __slots__ = ("_users", "below", "descriptor", "own_change_ns")

    def __init__(self, descriptor: int, below: Below) -> None:
        self.descriptor = descriptor
        self.below = below
        self.own_change_ns = 0
        """When we last removed a name from it."""
        self._users = 1

    def retain(self) -> None:
        self._users += 1

    def release(self) -> None:
        self._users -= 1
        if not self._users:
            os.close(self.descriptor)


class FileBatch:
    """Files as they were listed; in columns, which take little memory."""

    __slots__ = ("devices", "folder", "freed_bytes", "names", "numbers", "sizes", "times")

    def __init__(self, folder: OpenFolder) -> None:
        self.folder = folder
        self.names: list[str] = []
        self.devices = array("Q")
        self.numbers = array("Q")
        self.times = array("q")
        """In nanoseconds."""
        self.sizes = array("q")
        self.freed_bytes = 0

    def add(self, name: str, now: os.stat_result) -> None:
        self.names.append(name)
        self.devices.append(now.st_dev)
        self.numbers.append(now.st_ino)
        self.times.append(now.st_mtime_ns)
        self.sizes.append(now.st_size)
        self.freed_bytes += freed_bytes(now)

    def files(self) -> "Iterator[tuple[str, int, int, int, int]]":
        return zip(self.names, self.devices, self.numbers, self.times, self.sizes, strict=True)

    @property
    def as_message(self) -> tuple[Below, bytes, int, int, int]:
        """Return folder, listing (SIZE/NAME, separated by NUL), count, size and bytes it frees."""
        sized = zip(self.sizes, self.names, strict=True)
        # No name holds a NUL.
        listing = os.fsencode("\0".join([f"{size}/{name}" for size, name in sized]))
        return self.folder.below, listing, len(self.names), sum(self.sizes), self.freed_bytes


def freed_bytes(now: os.stat_result) -> int:
    """Count what the disk gets back: nothing while the file has another name."""
    return now.st_blocks * BLOCK_BYTES if now.st_nlink == 1 else 0
