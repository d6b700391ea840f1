"""Files of one folder that go together, with the folder held open.

A sweeper starts bare: what it imports is kept to what costs next to nothing.
"""

import os
from array import array

from opsctl.systems.removal.safe_open import Below

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

BLOCK_BYTES = 512


class Folder:
    """One open folder; it closes with the last lot of it."""

    __slots__ = ("_users", "below", "descriptor", "still_ns")

    def __init__(self, descriptor: int, below: Below) -> None:
        self.descriptor = descriptor
        self.below = below
        self.still_ns = 0
        """When a name in it last changed, if that was by us."""
        self._users = 1

    def hold(self) -> None:
        self._users += 1

    def let_go(self) -> None:
        self._users -= 1
        if not self._users:
            os.close(self.descriptor)


class Lot:
    """Name by name, and what each was when it was listed; in columns, which take little memory."""

    __slots__ = ("devices", "folder", "frees", "names", "numbers", "sizes", "times")

    def __init__(self, folder: Folder) -> None:
        self.folder = folder
        self.names: list[str] = []
        self.devices = array("Q")
        self.numbers = array("Q")
        self.times = array("q")
        """In nanoseconds."""
        self.sizes = array("q")
        self.frees = 0

    def add(self, name: str, now: os.stat_result) -> None:
        self.names.append(name)
        self.devices.append(now.st_dev)
        self.numbers.append(now.st_ino)
        self.times.append(now.st_mtime_ns)
        self.sizes.append(now.st_size)
        self.frees += freed(now)

    def files(self) -> "Iterator[tuple[str, int, int, int, int]]":
        return zip(self.names, self.devices, self.numbers, self.times, self.sizes, strict=True)

    @property
    def told(self) -> tuple[Below, bytes, int, int, int]:
        """Give folder, listing (SIZE/NAME, with NUL between), count, bytes, and bytes it frees."""
        sized = zip(self.sizes, self.names, strict=True)
        # No name holds a NUL.
        listing = os.fsencode("\0".join([f"{size}/{name}" for size, name in sized]))
        return self.folder.below, listing, len(self.names), sum(self.sizes), self.frees


def freed(now: os.stat_result) -> int:
    """Say what the disk gets back: nothing while another name leads to it."""
    return now.st_blocks * BLOCK_BYTES if now.st_nlink == 1 else 0
