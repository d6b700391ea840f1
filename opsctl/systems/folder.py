"""A folder of files that are read whole, all at once: as fast as the system hands them over."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Protocol

from opsctl.systems import files

_MOST_FILES_BYTES = 1 << 15


class Folder(Protocol):
    def names(self, directory: Path) -> list[str]:
        """List its files, in no order; MissingFileError where it does not exist."""
        ...

    def read(self, directory: Path, names: Iterable[str]) -> Mapping[str, bytes]: ...


class LocalFolder:
    def names(self, directory: Path) -> list[str]:
        try:
            with os.scandir(directory) as entries:
                return [entry.name for entry in entries if entry.is_file()]
        except OSError as error:
            raise files.translate(error, what=f"Cannot read {directory}") from error

    def read(self, directory: Path, names: Iterable[str]) -> Mapping[str, bytes]:
        prefix = f"{directory}{os.sep}"
        return {name: _read(prefix + name) for name in names}


def _read(path: str) -> bytes:
    """Read in as few calls as the system allows: thousands of files are read at every run."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            data = chunk = os.read(descriptor, _MOST_FILES_BYTES)
            while len(chunk) >= _MOST_FILES_BYTES:
                chunk = os.read(descriptor, len(data))
                data += chunk
        finally:
            os.close(descriptor)
    except OSError as error:
        raise files.translate(error, what=f"Cannot read {path}") from error
    return data
