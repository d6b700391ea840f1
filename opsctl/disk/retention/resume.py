"""Settles what a killed run has left open in the books: which files went after all."""

from collections.abc import Iterator
from pathlib import Path

from opsctl.disk.context import Parts
from opsctl.errors import OpsctlError
from opsctl.findings import Finding, Level
from opsctl.state.model import RemovalRecord
from opsctl.systems.files.local import DiskFullError


def settle(parts: Parts) -> Iterator[Finding]:
    """Close every open row by looking at the disk; the run that follows does the rest."""
    for removal in parts.store.removals.unfinished():
        gone = tuple(_gone(parts, removal))
        try:
            parts.store.removals.end(
                removal.number,
                files=len(gone),
                size=sum(size for _, size in gone),
                at=parts.clock.now(),
            )
        except DiskFullError:
            return
        what = (
            f"a run was killed at {removal.at:%Y-%m-%d %H:%M} UTC in {_text(removal.folder)}:"
            f" {len(gone)} of {removal.files} files had gone"
        )
        yield Finding("retention earlier run", Level.OK, what)


def _gone(parts: Parts, removal: RemovalRecord) -> Iterator[tuple[bytes, int]]:
    try:
        with parts.trees.open(Path(_text(removal.folder)), ()) as folder:
            for name, size in parts.store.removals.listing(removal.number):
                if folder.find(name) is None:
                    yield name, size
    except OpsctlError:
        # The folder is gone or closed to us: what was in it is not known to be gone.
        return


def _text(folder: bytes) -> str:
    return folder.decode("utf-8", "surrogateescape")
