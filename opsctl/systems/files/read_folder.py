"""A folder of files that are read whole, one after the other: as fast as the system has them."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Protocol

from opsctl.systems.files import local as files

_MOST_FILES_BYTES = 1 << 15
_FLAGS = os.O_RDONLY | os.O_CLOEXEC


class FolderReader(Protocol):
    def names(self, directory: Path) -> list[str]:
        """List its files, in no order; MissingFileError where it does not exist."""
        ...

    def read(self, directory: Path, names: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """Hand out each name with its content; only one is held at a time."""
        ...


class LocalFolderReader:
    def names(self, directory: Path) -> list[str]:
        try:
            with os.scandir(directory) as entries:
                return [entry.name for entry in entries if entry.is_file()]
        except OSError as error:
            raise files.translate(error, what=f"cannot read {directory}") from error

    def read(self, directory: Path, names: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        # By the folder's descriptor, and in few calls: thousands of files are read at every run.
        name = ""
        try:
            folder = os.open(directory, _FLAGS | os.O_DIRECTORY)
            try:
                for name in names:
                    yield name, _whole(os.open(name, _FLAGS, dir_fd=folder))
            finally:
                os.close(folder)
        except OSError as error:
            raise files.translate(error, what=f"cannot read {directory / name}") from error


def _whole(descriptor: int) -> bytes:
    try:
        data = chunk = os.read(descriptor, _MOST_FILES_BYTES)
        while len(chunk) >= _MOST_FILES_BYTES:
            chunk = os.read(descriptor, len(data))
            data += chunk
    finally:
        os.close(descriptor)
    return data
