"""Deletes the oldest raw logs of a disk that is too full, never the protected ones."""

import heapq
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, groupby
from pathlib import Path

from opsctl.disk.retention.plan import AgeClass
from opsctl.disk.retention.removal_log import RemovalResult
from opsctl.disk.retention.remove_files import FileBatch, Remove
from opsctl.disk.retention.scope import RetainScope
from opsctl.errors import OpsctlError
from opsctl.findings import Thresholds
from opsctl.systems.host import Host, Usage
from opsctl.systems.removal.safe_open import Below
from opsctl.systems.removal.tree import FoundFile, SkippedFolder

# The number of files held in memory; then the folders are listed again.
MAX_CANDIDATES = 20_000
FILES_PER_TURN = 100


@dataclass(frozen=True, slots=True)
class MountRoots:
    """A mount, and the roots on it."""

    mount: Path
    roots: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class Candidate:
    root: Path
    below: Below
    file: FoundFile


@dataclass(frozen=True, slots=True)
class FreeSpaceResult:
    """The usage of a mount after its oldest logs were deleted."""

    mount: Path
    was_percent: float
    percent: float
    is_below: bool


def free_space(
    scope: RetainScope, target: MountRoots, *, host: Host, thresholds: Thresholds, remove: Remove
) -> FreeSpaceResult:
    """Delete the oldest files of a mount that warns, until it is below its clear threshold."""
    mount = target.mount
    usage = host.usage(mount)
    was = usage.percent
    if was < thresholds.warn_at:
        return FreeSpaceResult(mount, was, was, is_below=True)
    expected = ExpectedUsage(usage)
    tried: set[tuple[int, int]] = set()
    while expected.percent >= thresholds.clear_below:
        oldest = [
            candidate
            for candidate in _oldest_files(scope, target.roots)
            if candidate.file.inode not in tried
        ]
        tried |= {candidate.file.inode for candidate in oldest}
        if not oldest:
            break
        waiting = deque(oldest)
        while waiting and expected.percent >= thresholds.clear_below:
            turn = _next_batches(waiting, enough_bytes=expected.above(thresholds.clear_below))
            _add_results(scope, results := remove(turn))
            expected = expected.after(results, None if scope.is_dry else host.usage(mount))
    return FreeSpaceResult(mount, was, expected.percent, expected.percent < thresholds.clear_below)


@dataclass(frozen=True, slots=True)
class ExpectedUsage:
    """How full a mount is, or will be."""

    usage: Usage
    freed_bytes: int = 0

    @property
    def percent(self) -> float:
        usage = self.usage
        # As psutil counts: blocks reserved for root are left out.
        whole = usage.used_bytes + usage.free_bytes
        used = usage.used_bytes - self.freed_bytes
        return 100 * used / whole if whole and self.freed_bytes else usage.percent

    def above(self, percent: float) -> float:
        """Count the bytes by which it is above this percentage."""
        whole = self.usage.used_bytes + self.usage.free_bytes
        return self.usage.used_bytes - self.freed_bytes - whole * percent / 100

    def after(self, results: Sequence[RemovalResult], measured: Usage | None) -> "ExpectedUsage":
        if measured is not None:
            return ExpectedUsage(measured)
        return ExpectedUsage(
            self.usage, self.freed_bytes + sum(result.frees_bytes for result in results)
        )


def _add_results(scope: RetainScope, results: Sequence[RemovalResult]) -> None:
    for result in results:
        scope.totals.add_result(result)


def _oldest_files(scope: RetainScope, roots: Sequence[Path]) -> Sequence[Candidate]:
    """Find the oldest removable files, oldest first, without holding all in memory."""
    candidates = (file for root in roots for file in _removable_files(scope, root))
    return heapq.nsmallest(
        MAX_CANDIDATES, candidates, key=lambda candidate: candidate.file.modified_ns
    )


def _removable_files(scope: RetainScope, root: Path) -> Iterator[Candidate]:
    for below in scope.trees.folders(root):
        if isinstance(below, SkippedFolder):
            continue
        try:
            with scope.trees.open(root, below) as folder:
                for file in chain.from_iterable(folder.batches()):
                    is_raw = scope.patterns.matches(file.name)
                    if is_raw and scope.ages.classify(file.modified_ns) is AgeClass.MIDDLE:
                        yield Candidate(root, below, file)
        except OpsctlError as error:
            scope.totals.add_problem(f"{error.what}: {error.why}")


def _next_batches(waiting: deque[Candidate], *, enough_bytes: float) -> Sequence[FileBatch]:
    """Take some of the oldest, grouped by folder, and no more than needed."""
    turn: list[Candidate] = []
    while waiting and len(turn) < FILES_PER_TURN and enough_bytes >= 0:
        turn.append(waiting.popleft())
        enough_bytes -= turn[-1].file.frees_bytes
    turn.sort(key=_folder_of)
    return [
        FileBatch(root, below, tuple(candidate.file for candidate in group))
        for (root, below), group in groupby(turn, key=_folder_of)
    ]


def _folder_of(candidate: Candidate) -> tuple[Path, Below]:
    return candidate.root, candidate.below
