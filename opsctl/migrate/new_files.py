"""Creates a migration file with the next free number."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from opsctl.errors import UsageError
from opsctl.systems.files.local import Files, MissingFileError
from opsctl.systems.files.read_folder import FolderReader

_NAME = re.compile(r"[a-z0-9][a-z0-9_]*\Z")
_NUMBER = re.compile(r"(\d+)_.*\.sql\Z")
_NARROWEST = 3
# Numbers this wide are timestamps: 20261120093000.
_TIMESTAMP_WIDTH = 14

_UP = """\
-- {title}
-- opsctl runs this file in one transaction: leave out BEGIN and COMMIT.

"""
_DOWN = """\
-- Reverts {file}.

"""


# Files of a repository are readable by everyone who may read it.
_READABLE = 0o644


@dataclass(frozen=True, slots=True)
class NewFile:
    file: str
    text: str


def plan_new_files(
    existing: Iterable[str], name: str, *, now: datetime, down: bool
) -> list[NewFile]:
    """Number the new file after the last one: the next number of that width, or a timestamp."""
    slug = re.sub(r"[^a-z0-9]+", "_", name.casefold()).strip("_")
    if not _NAME.match(slug):
        raise UsageError(
            f"cannot create a migration named {name!r}", hint="E.g. opsctl migrate new add_orders"
        )
    digits = [match[1] for file in existing if (match := _NUMBER.match(file))]
    stem = f"{_next(digits, now)}_{slug}"
    found = [NewFile(f"{stem}.sql", _UP.format(title=name))]
    return (
        [*found, NewFile(f"{stem}.down.sql", _DOWN.format(file=f"{stem}.sql"))] if down else found
    )


def _next(digits: list[str], now: datetime) -> str:
    width = max(map(len, digits), default=_NARROWEST)
    last = max(map(int, digits), default=0)
    if width >= _TIMESTAMP_WIDTH:
        return str(max(last + 1, int(now.strftime("%Y%m%d%H%M%S"))))
    return str(last + 1).zfill(width)


def list_existing(folder: FolderReader, directory: Path) -> list[str]:
    try:
        return folder.names(directory)
    except MissingFileError:
        return []


def create_files(files: Files, directory: Path, new_files: Iterable[NewFile]) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    for new_file in new_files:
        files.create_text(directory / new_file.file, new_file.text, mode=_READABLE)
