"""Deletes all old files below one root; each is recorded before it is deleted."""

import math
from dataclasses import dataclass, field
from pathlib import Path

from opsctl.disk.retention.plan import UNDATED_BEFORE_NS
from opsctl.disk.retention.removal_log import RemovalLog, RemovalResult
from opsctl.disk.retention.scope import RetainScope
from opsctl.progress import Progress
from opsctl.state.model import FileListing
from opsctl.systems.clock import Clock
from opsctl.systems.removal.open_folder import format_folder
from opsctl.systems.removal.open_writers import Inode
from opsctl.systems.removal.workers import DueBatch, RemovalOrder, WorkerReport

WRITERS_EVERY_S = 0.5


def build_sweep(scope: RetainScope, root: Path, *, is_careful: bool) -> RemovalOrder:
    """Turn age limits and patterns into the orders for the removal workers."""
    before_ns, future_ns = scope.ages.unremarkable_times
    return RemovalOrder(
        root=root,
        endings=scope.patterns.endings,
        pattern=scope.patterns.pattern,
        dated_ns=UNDATED_BEFORE_NS,
        before_ns=before_ns,
        future_ns=future_ns,
        is_careful=is_careful,
        is_dry=scope.is_dry,
    )


@dataclass(slots=True)
class OldFileRemoval:
    """Records what the removal workers report about one root."""

    scope: RetainScope
    root: Path
    removal_log: RemovalLog
    progress: Progress
    clock: Clock
    _numbers: dict[DueBatch, int | None] = field(default_factory=dict)
    _scanned: int = 0
    _writers: frozenset[Inode] = frozenset()
    _writers_at_s: float = -math.inf

    def handle_report(self, report: WorkerReport) -> frozenset[Inode]:
        self._add_report(report)
        for cleared in report.removed:
            lot = self._lot(cleared.batch)
            result = RemovalResult(
                lot, cleared.frees_bytes, cleared.written, cleared.left, cleared.problem
            )
            self.scope.totals.add_result(result)
            self.removal_log.end(self._numbers.pop(cleared.batch), result)
        if not report.due:
            return frozenset()
        lots = [self._lot(due) for due in report.due]
        if self.scope.is_dry:
            for lot, due in zip(lots, report.due, strict=True):
                self.scope.totals.add_result(RemovalResult(lot, due.frees_bytes))
            return frozenset()
        self._numbers.update(zip(report.due, self.removal_log.begin(lots), strict=True))
        return self._open_files()

    def _open_files(self) -> frozenset[Inode]:
        """Find which files processes write to; that takes as long as deleting 1,000 files."""
        now_s = self.clock.steady()
        if now_s - self._writers_at_s > WRITERS_EVERY_S:
            self._writers, self._writers_at_s = self.scope.trees.list_written(), now_s
        return self._writers

    def _add_report(self, report: WorkerReport) -> None:
        totals = self.scope.totals
        totals.future += report.future
        totals.undated += report.undated
        totals.recovered += report.recovered
        for skipped in report.skipped:
            totals.add_problem(
                f"{self.root}/{format_folder(skipped.below)} was skipped: {skipped.why}"
            )
        for problem in report.problems:
            totals.add_problem(problem)
        self._scanned += report.folders
        status = f"{self.root}: {totals.deleted_files} files"
        self.progress.advance(self._scanned, self._scanned + report.waiting, status)

    def _lot(self, due: DueBatch) -> FileListing:
        folder = b"/".join((bytes(self.root), *due.below))
        return FileListing(folder, due.listing, due.files, due.size)
