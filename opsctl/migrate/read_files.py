"""Reads the migration files of a directory, in the order of their numbers."""

import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING

from opsctl.errors import SettingsError
from opsctl.migrate.model import Migration, MigrationFiles, RefusedMigrationError
from opsctl.systems.files.local import MissingFileError
from opsctl.systems.files.read_folder import FolderReader

if TYPE_CHECKING:
    from hashlib import sha256
else:
    try:
        # As `random` does: loading OpenSSL takes longer than hashing a thousand files.
        if sys.version_info >= (3, 12):
            from _sha2 import sha256
        else:
            from _sha256 import sha256
    except ImportError:
        from hashlib import sha256

_NAME = re.compile(r"(?P<version>[0-9]+)_(?P<name>.+?)(?:\.(?P<part>up|down))?\.sql\Z")
# From here on a number is a timestamp, and timestamps have gaps.
_FIRST_TIMESTAMP = 10**7
_LAST = 2**63 - 1
_BOM = b"\xef\xbb\xbf"


def read_migrations(folder: FolderReader, directory: Path) -> MigrationFiles:
    """Read every file once; refuse files that have no unambiguous order."""
    try:
        names = folder.names(directory)
    except MissingFileError as error:
        raise SettingsError(
            f"cannot find the migrations directory {directory}",
            why="migrations.directory is set to it",
            hint="`opsctl migrate new NAME` creates it with a first file.",
        ) from error
    matches = {name: match for name in names if (match := _NAME.match(name))}
    ups = {name: match for name, match in matches.items() if match["part"] != "down"}
    downs = {int(match["version"]): name for name, match in matches.items() if name not in ups}
    numbers = {name: int(match[1]) for name, match in ups.items()}
    _refuse_duplicates(numbers)
    migrations: list[Migration] = []
    for name, data in folder.read(directory, ups):
        version, known = numbers[name], checksum(strip_bom(data))
        migrations.append(Migration(version, ups[name][2], name, known, downs.get(version)))
    migrations.sort(key=attrgetter("version"))
    versions = [migration.version for migration in migrations]
    notes = (*_gaps(versions), *_orphaned_down_files(downs, versions), *_ignored(names, matches))
    return MigrationFiles(tuple(migrations), tuple(notes))


def checksum(data: bytes) -> str:
    """Hash a file independently of the line endings of the checkout."""
    return sha256(data.replace(b"\r\n", b"\n")).hexdigest()


def strip_bom(data: bytes) -> bytes:
    return data.removeprefix(_BOM)


def read_migration(folder: FolderReader, directory: Path, migration: Migration) -> bytes:
    """Read a file again; its checksum must not have changed."""
    ((_, data),) = folder.read(directory, [migration.file])
    text = strip_bom(data)
    if checksum(text) != migration.checksum:
        raise RefusedMigrationError(
            f"cannot apply {migration.file}: it has just changed",
            why="it was modified during this run; files applied before it stay applied",
            hint="Run the same command again.",
            facts={"file": migration.file},
        )
    return text


def _refuse_duplicates(numbers: Mapping[str, int]) -> None:
    if len(set(numbers.values())) == len(numbers) and max(numbers.values(), default=0) <= _LAST:
        return
    by_version: dict[int, list[str]] = {}
    for name, version in numbers.items():
        by_version.setdefault(version, []).append(name)
    for version, names in sorted(by_version.items()):
        if len(names) > 1:
            raise RefusedMigrationError(
                f"{' and '.join(sorted(names))} have the same number",
                why="a number identifies one file; nothing was changed",
                hint="Give the later one the next free number; two branches may have used it.",
            )
        if version > _LAST:
            raise RefusedMigrationError(
                f"{names[0]} has too large a number", why=f"{_LAST} is the largest"
            )


def _gaps(versions: list[int]) -> Iterator[str]:
    for before, after in pairwise(versions):
        if before + 1 < after < _FIRST_TIMESTAMP:
            gap = f"{before + 1}" if after == before + 2 else f"{before + 1} to {after - 1}"
            yield f"numbers are missing between {before} and {after}: {gap}"


def _orphaned_down_files(downs: Mapping[int, str], versions: list[int]) -> Iterator[str]:
    for version in sorted(downs.keys() - set(versions)):
        yield f"{downs[version]} reverts a file that does not exist"


def _ignored(names: Iterable[str], matches: Mapping[str, object]) -> Iterator[str]:
    for name in sorted(names):
        if name.endswith(".sql") and name not in matches and not name.startswith("."):
            yield f"{name} is ignored: its name is not NNN_name.sql"
