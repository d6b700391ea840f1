"""Reads the files that services mount, and takes their digests."""

import hashlib
import hmac
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from opsctl.deploy.mounted.model import FileRecord, MountedFiles, MountedSource, SourceKind
from opsctl.errors import OpsctlError
from opsctl.systems.files.local import PathKind

if TYPE_CHECKING:
    from opsctl.systems.files.contents import FileContents

STORED_BYTES = 1 << 20
READ_BYTES = 16 << 20
# A larger folder is data or source code, and not configuration.
FOLDER_FILES = 64


@dataclass(frozen=True, slots=True)
class ReadScope:
    """Where the project's files are, which of them git tracks, and the key for all others."""

    project: Path
    top_level: Path
    tracked: frozenset[Path]
    key: bytes


def read_sources(
    files: "FileContents", sources: Iterable[MountedSource], scope: ReadScope
) -> MountedFiles:
    """Record the files of each source; what is too large or cannot be read is left out."""
    found: dict[str, dict[str, tuple[FileRecord, ...]]] = {}
    for source in sources:
        records = tuple(_read_source(files, source, scope))
        if records:
            found.setdefault(source.service, {})[source.path] = records
    return found


def _read_source(
    files: "FileContents", source: MountedSource, scope: ReadScope
) -> Iterator[FileRecord]:
    path = locate(files, Path(source.path))
    is_directory = files.kind(path) is PathKind.DIRECTORY
    if source.kind is not SourceKind.BIND:
        is_public = source.kind is SourceKind.CONFIG and _is_tracked(files, path, scope)
        yield from _record(files, path, scope, is_public=is_public)
    elif not path.is_relative_to(scope.project) or path == scope.project:
        return
    elif is_directory:
        yield from _read_folder(files, path, scope)
    elif _is_tracked(files, path, scope):
        yield from _record(files, path, scope, is_public=True)
    elif source.is_read_only:
        # A container may write to any other one: a database, a log, certificates.
        yield from _record(files, path, scope, is_public=False)


def _read_folder(files: "FileContents", folder: Path, scope: ReadScope) -> Iterator[FileRecord]:
    """Read what git tracks in a small folder; all else in it may be data."""
    tracked = sorted(path for path in scope.tracked if path.is_relative_to(folder))
    if len(tracked) <= FOLDER_FILES:
        for path in tracked:
            is_public = _is_tracked(files, path, scope)
            inside = str(path.relative_to(folder))
            yield from _record(files, path, scope, is_public=is_public, inside=inside)


def locate(files: "FileContents", path: Path) -> Path:
    """Follow links on the way to a file, but not the file itself, which git may track as a link."""
    return files.resolve(path.parent) / path.name


def _is_tracked(files: "FileContents", path: Path, scope: ReadScope) -> bool:
    return path in scope.tracked and files.resolve(path).is_relative_to(scope.top_level)


def _record(
    files: "FileContents", path: Path, scope: ReadScope, *, is_public: bool, inside: str = ""
) -> Iterator[FileRecord]:
    try:
        content = files.read_bytes(path, limit_bytes=READ_BYTES)
    except OpsctlError:
        # Not there, not for this user, no file, or too large: compose has its own word on that.
        return
    digest = hashlib.sha256(content.data).hexdigest()
    if not is_public:
        digest = hmac.new(scope.key, content.data, hashlib.sha256).hexdigest()
    is_stored = is_public and len(content.data) <= STORED_BYTES
    yield FileRecord(str(path), digest, inside, content.mode, not is_public, is_stored)
