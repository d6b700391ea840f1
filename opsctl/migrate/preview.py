"""Shows what a run would do: statements, locks, sizes; or tries it for real and takes it back."""

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

_SHOWN = 110
_UNITS = ("B", "kB", "MB", "GB", "TB")
_STEP = 1024


class FilePreview(NamedTuple):
    """One file of a run to come."""

    file: str
    version: int
    alone: bool
    statements: tuple[str, ...]
    locks: tuple[TableLockEstimate, ...]
    duration_ms: int | None = None
    """Of a rehearsal."""


class RunPreview(NamedTuple):
    files: tuple[FilePreview, ...]
    rehearsed: bool = False


def preview_run(draft: PendingRun, *, rehearse: bool) -> RunPreview:
    """Look ahead, by words alone or by a rehearsal."""
    if not rehearse:
        return RunPreview(preview(draft.ledger, draft.works))
    clock = draft.project.clock
    return RunPreview(rehearsal(draft.ledger, draft.works, clock=clock), rehearsed=True)


def preview(ledger: TrackingTable, works: Sequence[PreparedFile]) -> tuple[FilePreview, ...]:
    return tuple(_of(work, ledger.dialect.touched(ledger.session, work), None) for work in works)


def rehearsal(
    ledger: TrackingTable, works: Sequence[PreparedFile], *, clock: Clock
) -> tuple[FilePreview, ...]:
    """Run all files in one transaction, look at the locks it has taken, and roll it back."""
    try:
        ledger.begin()
        return tuple(_rehearsed(ledger, work, clock) for work in works)
    finally:
        ledger.session.rollback()


def _rehearsed(ledger: TrackingTable, work: PreparedFile, clock: Clock) -> FilePreview:
    if work.alone:
        return _of(work, ledger.dialect.touched(ledger.session, work), None)
    began = clock.steady()
    try:
        ledger.run(work, begin="", end="")
    except ScriptError as error:
        state = "this was a rehearsal: all of it was rolled back"
        raise explain_failure(error, work, ledger.dialect, state=state) from error
    duration_ms = round((clock.steady() - began) * 1000)
    return _of(work, ledger.dialect.held(ledger.session), duration_ms)


def _of(
    work: PreparedFile, locks: Sequence[TableLockEstimate], duration_ms: int | None
) -> FilePreview:
    texts = (work.text[s.start.offset : s.end] for s in work.script.statements)
    shown = tuple(_squeezed(text) for text in texts)
    version = work.migration.version
    return FilePreview(work.file, version, work.alone, shown, tuple(locks), duration_ms)


def _squeezed(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _SHOWN else f"{line[: _SHOWN - 3]}..."


def describe_lock(touched: TableLockEstimate) -> str:
    """Say one lock as a sentence."""
    size = "" if touched.size_bytes is None else f", {spoken_size(touched.size_bytes)}"
    rows = "" if touched.rows is None else f" (about {touched.rows:,} rows{size})"
    effect = BLOCKS.get(touched.lock, "")
    return f"{touched.lock} on {touched.table}{rows}{': ' if effect else ''}{effect}"


def spoken_size(size_bytes: float) -> str:
    for unit in _UNITS[:-1]:
        if size_bytes < _STEP:
            return f"{size_bytes:.0f} {unit}"
        size_bytes /= _STEP
    return f"{size_bytes:.0f} {_UNITS[-1]}"
