"""Lets go all that is old below one root; each file is written down before it goes."""

import math
from dataclasses import dataclass, field
from pathlib import Path

from opsctl.disk.retention.plan import UNDATED_BEFORE_NS
from opsctl.disk.retention.removal_log import Done, Ledger
from opsctl.disk.retention.totals import Scope
from opsctl.progress import Progress
from opsctl.state.model import FileListing
from opsctl.systems.clock import Clock
from opsctl.systems.removal.open_folder import format_folder
from opsctl.systems.removal.open_writers import Inode
from opsctl.systems.removal.workers import DueBatch, RemovalOrder, WorkerReport

ASK_EVERY_S = 0.5


def due_below(scope: Scope, root: Path, *, is_careful: bool) -> RemovalOrder:
    """Say what `Ages` and `Names` say, in figures."""
    before_ns, future_ns = scope.ages.of_these_days
    return RemovalOrder(
        root=root,
        endings=scope.names.endings,
        pattern=scope.names.pattern,
        dated_ns=UNDATED_BEFORE_NS,
        before_ns=before_ns,
        future_ns=future_ns,
        is_careful=is_careful,
        is_dry=scope.is_dry,
    )


@dataclass(slots=True)
class Sweeping:
    """Keeps the books of one root while it is swept."""

    scope: Scope
    root: Path
    ledger: Ledger
    progress: Progress
    clock: Clock
    _numbers: dict[DueBatch, int | None] = field(default_factory=dict)
    _looked: int = 0
    _writers: frozenset[Inode] = frozenset()
    _asked_s: float = -math.inf

    def answer(self, report: WorkerReport) -> frozenset[Inode]:
        self._note(report)
        for cleared in report.removed:
            lot = self._lot(cleared.batch)
            done = Done(lot, cleared.frees_bytes, cleared.written, cleared.left, cleared.problem)
            self.scope.tally.add_done(done)
            self.ledger.end(self._numbers.pop(cleared.batch), done)
        if not report.due:
            return frozenset()
        lots = [self._lot(due) for due in report.due]
        if self.scope.is_dry:
            for lot, due in zip(lots, report.due, strict=True):
                self.scope.tally.add_done(Done(lot, due.frees_bytes))
            return frozenset()
        self._numbers.update(zip(report.due, self.ledger.begin(lots), strict=True))
        return self._written_to()

    def _written_to(self) -> frozenset[Inode]:
        """Ask all processes which files they write to; that takes as long as removing 1,000."""
        now_s = self.clock.steady()
        if now_s - self._asked_s > ASK_EVERY_S:
            self._writers, self._asked_s = self.scope.trees.list_written(), now_s
        return self._writers

    def _note(self, report: WorkerReport) -> None:
        tally = self.scope.tally
        tally.future += report.future
        tally.undated += report.undated
        tally.recovered += report.recovered
        for one in report.skipped:
            tally.add_trouble(f"{self.root}/{format_folder(one.below)} was left alone: {one.why}")
        for trouble in report.problems:
            tally.add_trouble(trouble)
        self._looked += report.folders
        said = f"{self.root}: {tally.gone_files} files"
        self.progress.advance(self._looked, self._looked + report.waiting, said)

    def _lot(self, due: DueBatch) -> FileListing:
        folder = b"/".join((bytes(self.root), *due.below))
        return FileListing(folder, due.listing, due.files, due.size)
