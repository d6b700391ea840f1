"""Shows what a run would do: statements, locks, sizes; or tries it for real and takes it back."""

from collections.abc import Sequence
from typing import NamedTuple

from opsctl.migrate.dialect import Touched
from opsctl.migrate.explain import explain
from opsctl.migrate.pending import PendingRun
from opsctl.migrate.run_model import Work
from opsctl.migrate.tracking_table import Ledger
from opsctl.sql.locks import BLOCKS
from opsctl.systems.clock import Clock
from opsctl.systems.sql_scripts import ScriptError

_SHOWN = 110
_UNITS = ("B", "kB", "MB", "GB", "TB")
_STEP = 1024


class Preview(NamedTuple):
    """One file of a run to come."""

    file: str
    version: int
    alone: bool
    statements: tuple[str, ...]
    locks: tuple[Touched, ...]
    duration_ms: int | None = None
    """Of a rehearsal."""


class Forecast(NamedTuple):
    files: tuple[Preview, ...]
    rehearsed: bool = False


def forecast(draft: PendingRun, *, rehearse: bool) -> Forecast:
    """Look ahead, by words alone or by a rehearsal."""
    if not rehearse:
        return Forecast(preview(draft.ledger, draft.works))
    clock = draft.project.clock
    return Forecast(rehearsal(draft.ledger, draft.works, clock=clock), rehearsed=True)


def preview(ledger: Ledger, works: Sequence[Work]) -> tuple[Preview, ...]:
    return tuple(_of(work, ledger.dialect.touched(ledger.session, work), None) for work in works)


def rehearsal(ledger: Ledger, works: Sequence[Work], *, clock: Clock) -> tuple[Preview, ...]:
    """Run all files in one transaction, look at the locks it has taken, and roll it back."""
    try:
        ledger.begin()
        return tuple(_rehearsed(ledger, work, clock) for work in works)
    finally:
        ledger.session.rollback()


def _rehearsed(ledger: Ledger, work: Work, clock: Clock) -> Preview:
    if work.alone:
        return _of(work, ledger.dialect.touched(ledger.session, work), None)
    began = clock.steady()
    try:
        ledger.run(work, begin="", end="")
    except ScriptError as error:
        state = "this was a rehearsal: all of it was rolled back"
        raise explain(error, work, ledger.dialect, state=state) from error
    duration_ms = round((clock.steady() - began) * 1000)
    return _of(work, ledger.dialect.held(ledger.session), duration_ms)


def _of(work: Work, locks: Sequence[Touched], duration_ms: int | None) -> Preview:
    texts = (work.text[s.start.offset : s.end] for s in work.script.statements)
    shown = tuple(_squeezed(text) for text in texts)
    version = work.migration.version
    return Preview(work.file, version, work.alone, shown, tuple(locks), duration_ms)


def _squeezed(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _SHOWN else f"{line[: _SHOWN - 3]}..."


def told(touched: Touched) -> str:
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
