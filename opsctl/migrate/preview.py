"""Previews a run: its statements, locks and table sizes, by parsing or by a rehearsal."""

from collections.abc import Sequence
from typing import NamedTuple

from opsctl.migrate.dialect import TableLockEstimate
from opsctl.migrate.explain import explain_failure
from opsctl.migrate.pending import PendingRun
from opsctl.migrate.run_model import PreparedFile
from opsctl.migrate.tracking_table import TrackingTable
from opsctl.sql.locks import BLOCKS
from opsctl.systems.clock import Clock
from opsctl.systems.sql_scripts import ScriptError
from opsctl.units import format_bytes

_SHOWN = 110


class FilePreview(NamedTuple):
    """One file of a run to come."""

    file: str
    version: int
    non_transactional: bool
    statements: tuple[str, ...]
    locks: tuple[TableLockEstimate, ...]
    duration_ms: int | None = None
    """Of a rehearsal."""


class RunPreview(NamedTuple):
    files: tuple[FilePreview, ...]
    rehearsed: bool = False


def preview_run(pending_run: PendingRun, *, rehearse: bool) -> RunPreview:
    """Preview a run by parsing its files, or by a rehearsal."""
    if not rehearse:
        return RunPreview(preview_files(pending_run.tracking, pending_run.files))
    clock = pending_run.context.clock
    return RunPreview(
        rehearse_files(pending_run.tracking, pending_run.files, clock=clock), rehearsed=True
    )


def preview_files(
    tracking: TrackingTable, files: Sequence[PreparedFile]
) -> tuple[FilePreview, ...]:
    return tuple(
        _of(prepared, tracking.dialect.estimate_locks(tracking.session, prepared), None)
        for prepared in files
    )


def rehearse_files(
    tracking: TrackingTable, files: Sequence[PreparedFile], *, clock: Clock
) -> tuple[FilePreview, ...]:
    """Run all files in one transaction, list the locks it holds, and roll it back."""
    try:
        tracking.begin_rehearsal()
        return tuple(_rehearse_file(tracking, prepared, clock) for prepared in files)
    finally:
        tracking.session.rollback()


def _rehearse_file(tracking: TrackingTable, prepared: PreparedFile, clock: Clock) -> FilePreview:
    if prepared.non_transactional:
        return _of(prepared, tracking.dialect.estimate_locks(tracking.session, prepared), None)
    began = clock.steady()
    try:
        tracking.apply_file(prepared, begin="", end="")
    except ScriptError as error:
        state = "this was a rehearsal, and was rolled back"
        raise explain_failure(error, prepared, tracking.dialect, state=state) from error
    duration_ms = round((clock.steady() - began) * 1000)
    return _of(prepared, tracking.dialect.list_held_locks(tracking.session), duration_ms)


def _of(
    prepared: PreparedFile, locks: Sequence[TableLockEstimate], duration_ms: int | None
) -> FilePreview:
    texts = (prepared.text[s.start.offset : s.end] for s in prepared.script.statements)
    statements = tuple(_shorten(text) for text in texts)
    version = prepared.migration.version
    return FilePreview(
        prepared.file, version, prepared.non_transactional, statements, tuple(locks), duration_ms
    )


def _shorten(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _SHOWN else f"{line[: _SHOWN - 3]}..."


def describe_lock(lock: TableLockEstimate) -> str:
    """Describe one lock in a sentence."""
    size = "" if lock.size_bytes is None else f", {format_bytes(lock.size_bytes)}"
    rows = "" if lock.rows is None else f" (about {lock.rows:,} rows{size})"
    effect = BLOCKS.get(lock.lock, "")
    return f"{lock.lock} on {lock.table}{rows}{': ' if effect else ''}{effect}"
