"""Completes the records of a killed run: which files it had deleted."""

from collections.abc import Iterator
from pathlib import Path

from opsctl.disk.context import DiskContext
from opsctl.errors import OpsctlError
from opsctl.findings import Finding, Level
from opsctl.state.model import RemovalRecord
from opsctl.systems.files.local import DiskFullError


def close_unfinished_removals(context: DiskContext) -> Iterator[Finding]:
    """Complete every open row by looking at the disk; this run deletes the rest."""
    for removal in context.store.removals.unfinished():
        deleted = tuple(_deleted_files(context, removal))
        try:
            context.store.removals.end(
                removal.number,
                files=len(deleted),
                size=sum(size for _, size in deleted),
                at=context.clock.now(),
            )
        except DiskFullError:
            return
        folder = _folder_text(removal.folder)
        what = (
            f"a run was killed at {removal.at:%Y-%m-%d %H:%M} UTC in {folder}:"
            f" {len(deleted)} of {removal.files} files were deleted"
        )
        yield Finding("retention earlier run", Level.OK, what)


def _deleted_files(context: DiskContext, removal: RemovalRecord) -> Iterator[tuple[bytes, int]]:
    try:
        with context.trees.open(Path(_folder_text(removal.folder)), ()) as folder:
            for name, size in context.store.removals.listing(removal.number):
                if folder.find(name) is None:
                    yield name, size
    except OpsctlError:
        # The folder is gone or not readable: its files are not known to be deleted.
        return


def _folder_text(folder: bytes) -> str:
    return folder.decode("utf-8", "surrogateescape")
