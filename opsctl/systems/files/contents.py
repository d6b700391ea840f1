"""Files as bytes, with their modes, and folders of them: what is copied and not interpreted."""

import os
import secrets
import shutil
import stat
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from opsctl.errors import OpsctlError
from opsctl.systems.files.local import (
    PRIVATE_FILE,
    FileExistsAlreadyError,
    Files,
    LocalFiles,
    MissingFileError,
    read_regular_file,
    reported,
    temporary_file,
)

KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class FileContent:
    data: bytes = field(repr=False)
    mode: int


class FileContents(Files, Protocol):
    def read_bytes(self, path: Path, *, limit_bytes: int) -> FileContent: ...

    def write_bytes(self, path: Path, data: bytes, *, mode: int = PRIVATE_FILE) -> None:
        """Replace the file whole; on disk when this returns."""
        ...

    def read_key(self, path: Path) -> bytes:
        """Read the private key in this file; make one if there is none."""
        ...

    def list_names(self, folder: Path) -> frozenset[str]:
        """List the files below a folder, as seen from it; links are not followed."""
        ...

    def make_folder(self, path: Path, *, mode: int) -> None:
        """Create one directory with this mode, whatever the umask."""
        ...

    def remove_tree(self, path: Path) -> None:
        """Remove a directory of our own with all that is in it, if it is there."""
        ...


class LocalContents(LocalFiles):
    def read_bytes(self, path: Path, *, limit_bytes: int) -> FileContent:
        what = f"cannot read {path}"
        with reported(what):
            data, mode = read_regular_file(path, limit_bytes + 1), path.stat().st_mode
        if len(data) > limit_bytes:
            raise OpsctlError(what, why=f"it is larger than {limit_bytes:,} bytes")
        return FileContent(data, stat.S_IMODE(mode))

    def write_bytes(self, path: Path, data: bytes, *, mode: int = PRIVATE_FILE) -> None:
        with reported(f"cannot write {path}"), temporary_file(path.parent, data, mode) as made:
            made.replace(path)

    def read_key(self, path: Path) -> bytes:
        try:
            return self.read_text(path).encode()
        except MissingFileError:
            # Another process may be quicker: its key counts.
            with suppress(FileExistsAlreadyError):
                self.create_text(path, secrets.token_hex(KEY_BYTES))
        return self.read_text(path).encode()

    def list_names(self, folder: Path) -> frozenset[str]:
        return frozenset(
            str((Path(parent) / name).relative_to(folder))
            for parent, _, names in os.walk(folder)
            for name in names
        )

    def make_folder(self, path: Path, *, mode: int) -> None:
        with reported(f"cannot make the directory {path}"):
            path.mkdir(exist_ok=True)
            path.chmod(mode)

    def remove_tree(self, path: Path) -> None:
        with reported(f"cannot remove {path}"), suppress(FileNotFoundError):
            shutil.rmtree(path)
