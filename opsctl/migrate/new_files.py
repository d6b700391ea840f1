"""Starts a file with the next free number."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from opsctl.errors import UsageError
from opsctl.systems.files.local import Files, MissingFileError
from opsctl.systems.files.read_folder import Folder

_NAME = re.compile(r"[a-z0-9][a-z0-9_]*\Z")
_NUMBER = re.compile(r"(\d+)_.*\.sql\Z")
_NARROWEST = 3
# Numbers this wide are moments: 20261120093000.
_MOMENT_WIDTH = 14

_UP = """\
-- {title}
-- One transaction holds this file and its row; leave BEGIN and COMMIT out.

"""
_DOWN = """\
-- Takes back {file}.

"""


# Files of a repository are for all who may read it.
_READABLE = 0o644


@dataclass(frozen=True, slots=True)
class NewFile:
    file: str
    text: str


def plan_new_files(
    existing: Iterable[str], name: str, *, now: datetime, down: bool
) -> list[NewFile]:
    """Name the new file by the last one: the next number, as wide, or the moment."""
    slug = re.sub(r"[^a-z0-9]+", "_", name.casefold()).strip("_")
    if not _NAME.match(slug):
        raise UsageError(f"{name!r} cannot name a file", hint="E.g. opsctl migrate new add_orders")
    digits = [match[1] for file in existing if (match := _NUMBER.match(file))]
    stem = f"{_next(digits, now)}_{slug}"
    found = [NewFile(f"{stem}.sql", _UP.format(title=name))]
    return (
        [*found, NewFile(f"{stem}.down.sql", _DOWN.format(file=f"{stem}.sql"))] if down else found
    )


def _next(digits: list[str], now: datetime) -> str:
    width = max(map(len, digits), default=_NARROWEST)
    last = max(map(int, digits), default=0)
    if width >= _MOMENT_WIDTH:
        return str(max(last + 1, int(now.strftime("%Y%m%d%H%M%S"))))
    return str(last + 1).zfill(width)


def list_existing(folder: Folder, directory: Path) -> list[str]:
    try:
        return folder.names(directory)
    except MissingFileError:
        return []


def create_files(files: Files, directory: Path, new_files: Iterable[NewFile]) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    for new_file in new_files:
        files.create_text(directory / new_file.file, new_file.text, mode=_READABLE)
