"""The sizes of folders: added up on their own device, within a time limit."""

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from opsctl.errors import UnreachableError
from opsctl.systems.clock import Clock
from opsctl.systems.deadline import Deadline, within
from opsctl.systems.files.local import translate

BLOCK_BYTES = 512
# Let the count itself end before we stop waiting for it.
HEAD_START = 0.9


@dataclass(frozen=True, slots=True)
class Size:
    path: Path
    size_bytes: int
    is_whole: bool = True
    """False where time ran out: it is at least so large."""


class Folders(Protocol):
    def sizes(self, path: Path, *, limit_s: float) -> Sequence[Size]:
        """Measure the entries of a folder, largest first; links and other mounts are left out."""
        ...


class LocalFolders:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def sizes(self, path: Path, *, limit_s: float) -> Sequence[Size]:
        deadline = Deadline.after(self._clock, limit_s)
        counting = Deadline.after(self._clock, limit_s * HEAD_START)
        try:
            found = within(deadline, lambda: list(_children(path, counting)))
        except TimeoutError as error:
            what = f"cannot measure {path} within {limit_s:g} s"
            raise UnreachableError(what, why="its file system hangs") from error
        except OSError as error:
            raise translate(error, what=f"cannot measure {path}") from error
        return sorted(found, key=lambda size: (-size.size_bytes, size.path))


def _children(path: Path, deadline: Deadline) -> Iterator[Size]:
    device = path.stat().st_dev
    with os.scandir(path) as entries:
        listed = list(entries)
    for entry in listed:
        with suppress(FileNotFoundError):
            found = entry.stat(follow_symlinks=False)
            if found.st_dev == device:
                own = found.st_blocks * BLOCK_BYTES
                is_folder = entry.is_dir(follow_symlinks=False)
                folders = [entry.path] if is_folder else []
                inner, is_whole = _added_up(folders, device, deadline)
                yield Size(Path(entry.path), own + inner, is_whole)


def _added_up(waiting: list[str], device: int, deadline: Deadline) -> tuple[int, bool]:
    total, counted = 0, set[int]()
    while waiting:
        if deadline.passed():
            return total, False
        # What is closed to us, or gone by now, counts as nothing.
        with suppress(OSError), os.scandir(waiting.pop()) as entries:
            for entry in entries:
                found = entry.stat(follow_symlinks=False)
                if found.st_dev != device or found.st_ino in counted:
                    continue
                total += found.st_blocks * BLOCK_BYTES
                if found.st_nlink > 1:
                    counted.add(found.st_ino)
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)
    return total, True
