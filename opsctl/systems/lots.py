"""Files of one folder that go together, with the folder held open.

A sweeper starts bare: what it imports is kept to what costs next to nothing.
"""

import os

from opsctl.systems.steps import Below

BLOCK_BYTES = 512

# The name, and what it was when it was listed: device, number, time in nanoseconds, size.
File = tuple[str, int, int, int, int]


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
    __slots__ = ("files", "folder", "frees", "size")

    def __init__(self, folder: Folder) -> None:
        self.folder = folder
        self.files: list[File] = []
        self.size = self.frees = 0

    def add(self, name: str, now: os.stat_result) -> None:
        self.files.append((name, now.st_dev, now.st_ino, now.st_mtime_ns, now.st_size))
        self.size += now.st_size
        self.frees += freed(now)

    @property
    def told(self) -> tuple[Below, bytes, int, int, int]:
        """Give folder, listing (SIZE/NAME, with NUL between), count, bytes, and bytes it frees."""
        # No name holds a NUL.
        text = "\0".join([f"{file[4]}/{file[0]}" for file in self.files])
        return self.folder.below, os.fsencode(text), len(self.files), self.size, self.frees


def freed(now: os.stat_result) -> int:
    """Say what the disk gets back: nothing while another name leads to it."""
    return now.st_blocks * BLOCK_BYTES if now.st_nlink == 1 else 0
