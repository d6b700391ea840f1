"""A tree of files, listed and read in one go; links, pipes and devices are never opened."""

import os
import stat
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Read:
    """One file; `data` is None where this user may not read it, or it is too large."""

    name: str
    data: bytes | None
    why: str = ""


class Tree(Protocol):
    def walk(self, directory: Path, *, skips: Callable[[str], bool]) -> Iterator[str]:
        """List plain files as seen from `directory`; folders whose name `skips` are left out."""
        ...

    def read(self, directory: Path, names: Iterable[str], *, limit_bytes: int) -> Iterator[Read]:
        """Read plain files whole; missing ones and others are left out."""
        ...


class LocalTree:
    def walk(self, directory: Path, *, skips: Callable[[str], bool]) -> Iterator[str]:
        for folder, folders, files in os.walk(directory):
            folders[:] = sorted(name for name in folders if not skips(name))
            inside = os.path.relpath(folder, directory)
            for name in sorted(files):
                yield name if inside == "." else f"{inside}/{name}"

    def read(self, directory: Path, names: Iterable[str], *, limit_bytes: int) -> Iterator[Read]:
        prefix = f"{directory}{os.sep}"
        for name in names:
            found = _read(prefix + name, name, limit_bytes)
            if found is not None:
                yield found


def _read(path: str, name: str, limit_bytes: int) -> Read | None:
    # Without NONBLOCK, opening a pipe would wait for a writer.
    flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
    try:
        descriptor = os.open(path, flags)
    except PermissionError as error:
        return Read(name, None, (error.strerror or "").casefold())
    except (OSError, ValueError):
        return None
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            return None
        if status.st_size > limit_bytes:
            return Read(name, None, f"it is larger than {limit_bytes:,} bytes")
        return Read(name, _whole(descriptor, limit_bytes))
    except OSError as error:
        return Read(name, None, (error.strerror or "").casefold())
    finally:
        os.close(descriptor)


def _whole(descriptor: int, limit_bytes: int) -> bytes:
    data = os.read(descriptor, limit_bytes + 1)
    while chunk := os.read(descriptor, limit_bytes):
        data += chunk
        if len(data) > limit_bytes:
            break
    return data[:limit_bytes]
