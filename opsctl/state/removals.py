"""Removals: which files were removed, with their sizes; recorded before the removal."""

import zlib
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, TypeAlias

from opsctl.state.columns import format_time, parse_time, parse_time_or_none
from opsctl.state.model import FileListing, RemovalRecord

if TYPE_CHECKING:
    from opsctl.systems.sqlite.database import Database, Row

# A name as the file system stores it, and its bytes on disk.
Listed: TypeAlias = tuple[bytes, int]


class Removals:
    def __init__(self, database: "Database") -> None:
        self._database = database

    def begin(self, run: str, lot: FileListing, *, at: datetime) -> int:
        """Record what is about to be removed; returns the number that `end` needs."""
        packed = zlib.compress(lot.listing, 1)
        rows = self._database.query(
            "INSERT INTO removals (run, at, folder, files, bytes, listing)"
            " VALUES (?, ?, ?, ?, ?, ?) RETURNING number",
            (run, format_time(at), lot.folder, lot.files, lot.size, packed),
        )
        number: int = rows[0]["number"]
        return number

    def end(self, number: int, *, files: int, size: int, at: datetime) -> None:
        self._database.execute(
            "UPDATE removals SET gone_files = ?, gone_bytes = ?, ended_at = ? WHERE number = ?",
            (files, size, format_time(at), number),
        )

    def unfinished(self) -> Sequence[RemovalRecord]:
        """List the removals that were not closed: their run was killed."""
        rows = self._database.query("SELECT * FROM removals WHERE ended_at IS NULL ORDER BY number")
        return [_removal(row) for row in rows]

    def of_run(self, run: str) -> Sequence[RemovalRecord]:
        rows = self._database.query("SELECT * FROM removals WHERE run = ? ORDER BY number", (run,))
        return [_removal(row) for row in rows]

    def listing(self, number: int) -> Sequence[Listed]:
        """Read the names; empty once they are too old to be kept."""
        rows = self._database.query("SELECT listing FROM removals WHERE number = ?", (number,))
        return _entries(zlib.decompress(rows[0]["listing"])) if rows and rows[0]["listing"] else ()

    def forget_listings(self, *, before: datetime) -> None:
        """Delete old names; counts and sizes stay."""
        self._database.execute(
            "UPDATE removals SET listing = NULL WHERE listing IS NOT NULL AND ended_at < ?",
            (format_time(before),),
        )


def list_files(folder: bytes, files: Iterable[Listed]) -> FileListing:
    named = list(files)
    # No file name contains a NUL.
    listing = b"\0".join(b"%d/%b" % (size, name) for name, size in named)
    return FileListing(folder, listing, len(named), sum(size for _, size in named))


def without_files(lot: FileListing, left: Collection[int]) -> FileListing:
    """Leave out the files that were not removed, by index from 0."""
    if not left:
        return lot
    entries = enumerate(_entries(lot.listing))
    return list_files(lot.folder, (entry for index, entry in entries if index not in left))


def _entries(listing: bytes) -> Sequence[Listed]:
    entries = (entry.partition(b"/") for entry in listing.split(b"\0") if entry)
    return [(name, int(size)) for size, _, name in entries]


def _removal(row: "Row") -> RemovalRecord:
    return RemovalRecord(
        number=row["number"],
        run=row["run"],
        at=parse_time(row["at"]),
        folder=row["folder"],
        files=row["files"],
        bytes=row["bytes"],
        gone_files=row["gone_files"],
        gone_bytes=row["gone_bytes"],
        ended_at=parse_time_or_none(row["ended_at"]),
    )
