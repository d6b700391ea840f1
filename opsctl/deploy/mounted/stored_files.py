"""Stores the files that releases mount, and puts copies of them together again."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from opsctl.deploy.mounted.model import FileRecord, MountedFiles
from opsctl.systems.files.local import MissingFileError, PathKind

if TYPE_CHECKING:
    from opsctl.systems.files.contents import FileContents

CONTENTS = "files"
DIGITS = 12
READ_BYTES = 16 << 20
# Containers of any user read the copies; the directory around them is private.
FOLDER_MODE = 0o755


@dataclass(frozen=True, slots=True)
class FileStore:
    """The stored files of all releases, in the directory of their compose files."""

    files: "FileContents"
    folder: Path

    def save(self, release: str, mounted: MountedFiles) -> None:
        """Store the contents that may be stored, and the digests of all files."""
        self.files.make_private_dir(self.folder / CONTENTS)
        for record in list_records(mounted):
            if record.is_stored and self.files.kind(self._content(record)) is PathKind.NOTHING:
                data = self.files.read_bytes(Path(record.path), limit_bytes=READ_BYTES).data
                if sha256(data).hexdigest() == record.digest:
                    self.files.write_bytes(self._content(record), data)
        self.files.write_text(self._record(release), dump_mounted(mounted))

    def read(self, release: str) -> MountedFiles:
        """Read what a release mounted; nothing where that was not recorded."""
        try:
            text = self.files.read_text(self._record(release), limit_bytes=READ_BYTES)
        except MissingFileError:
            return {}
        return load_mounted(text)

    def place_copy(self, release: str, source: str, records: tuple[FileRecord, ...]) -> Path | None:
        """Put a source together again; None when one of its files was not stored."""
        paths = {record: self._content(record) for record in records}
        kinds = {self.files.kind(path) for path in paths.values()}
        if kinds != {PathKind.FILE} or not all(record.is_stored for record in records):
            return None
        digest = sha256(source.encode()).hexdigest()[:DIGITS]
        copies = self.folder / f"{release}.files"
        self.files.make_private_dir(copies)
        copy = copies / digest / Path(source).name
        for record, path in paths.items():
            target = copy / record.inside
            for folder in reversed(target.parents):
                if folder.is_relative_to(copies) and folder != copies:
                    self.files.make_folder(folder, mode=FOLDER_MODE)
            data = self.files.read_bytes(path, limit_bytes=READ_BYTES).data
            self.files.write_bytes(target, data, mode=record.mode)
        return copy

    def list_names(self, source: str) -> frozenset[str]:
        """List what is in a folder today."""
        return self.files.list_names(Path(source))

    def remove(self, release: str, *, kept: Iterable[str]) -> None:
        """Remove what only this release needs; `kept` are the releases that stay."""
        mounted = self.read(release)
        needed = {record.digest for name in kept for record in list_records(self.read(name))}
        for record in list_records(mounted):
            if record.is_stored and record.digest not in needed:
                self.files.remove(self._content(record))
        self.files.remove_tree(self.folder / f"{release}.files")
        self.files.remove(self._record(release))

    def _content(self, record: FileRecord) -> Path:
        return self.folder / CONTENTS / record.digest

    def _record(self, release: str) -> Path:
        return self.folder / f"{release}.files.json"


def list_records(mounted: MountedFiles) -> Iterator[FileRecord]:
    for sources in mounted.values():
        for records in sources.values():
            yield from records


def dump_mounted(mounted: MountedFiles) -> str:
    document = {
        service: {source: [asdict(record) for record in found] for source, found in sources.items()}
        for service, sources in mounted.items()
    }
    return json.dumps(document, sort_keys=True)


def load_mounted(text: str) -> MountedFiles:
    return {
        service: {
            source: tuple(FileRecord(**record) for record in found)
            for source, found in sources.items()
        }
        for service, sources in json.loads(text).items()
    }
