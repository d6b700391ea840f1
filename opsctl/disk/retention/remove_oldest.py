"""On a disk that is too full, the oldest go first, down to the youngest that must stay."""

import heapq
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, groupby
from pathlib import Path

from opsctl.disk.retention.plan import Age
from opsctl.disk.retention.removal_log import Done
from opsctl.disk.retention.remove_files import Picked, Remove
from opsctl.disk.retention.totals import Scope
from opsctl.errors import OpsctlError
from opsctl.findings import Thresholds
from opsctl.systems.host import Host, Usage
from opsctl.systems.removal.safe_open import Below
from opsctl.systems.removal.tree import Found, Skipped

# So many of the oldest are known at once; then the folders are gone through again.
OLDEST = 20_000
AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Place:
    """A mount, and the roots that lie on it."""

    mount: Path
    roots: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class Candidate:
    root: Path
    below: Below
    file: Found


@dataclass(frozen=True, slots=True)
class Relief:
    """How a mount stands after its oldest logs went."""

    mount: Path
    was_percent: float
    percent: float
    is_below: bool


def relieve(scope: Scope, place: Place, *, host: Host, marks: Thresholds, remove: Remove) -> Relief:
    """Where a mount is at its mark, remove the oldest until it is clear again."""
    mount = place.mount
    usage = host.usage(mount)
    was = usage.percent
    if was < marks.warn_at:
        return Relief(mount, was, was, is_below=True)
    expected = Expected(usage)
    tried: set[tuple[int, int]] = set()
    while expected.percent >= marks.clear_below:
        oldest = [one for one in _oldest(scope, place.roots) if one.file.inode not in tried]
        tried |= {one.file.inode for one in oldest}
        if not oldest:
            break
        waiting = deque(oldest)
        while waiting and expected.percent >= marks.clear_below:
            turn = _next_turn(waiting, enough_bytes=expected.above(marks.clear_below))
            _note(scope, done := remove(turn))
            expected = expected.after(done, None if scope.is_dry else host.usage(mount))
    return Relief(mount, was, expected.percent, expected.percent < marks.clear_below)


@dataclass(frozen=True, slots=True)
class Expected:
    """How full a mount is, or will be."""

    usage: Usage
    freed_bytes: int = 0

    @property
    def percent(self) -> float:
        usage = self.usage
        # As psutil counts: of what users may have, blocks reserved for root left out.
        whole = usage.used_bytes + usage.free_bytes
        used = usage.used_bytes - self.freed_bytes
        return 100 * used / whole if whole and self.freed_bytes else usage.percent

    def above(self, mark: float) -> float:
        """Count the bytes by which it is above a mark."""
        whole = self.usage.used_bytes + self.usage.free_bytes
        return self.usage.used_bytes - self.freed_bytes - whole * mark / 100

    def after(self, done: Sequence[Done], measured: Usage | None) -> "Expected":
        if measured is not None:
            return Expected(measured)
        return Expected(self.usage, self.freed_bytes + sum(one.frees_bytes for one in done))


def _note(scope: Scope, done: Sequence[Done]) -> None:
    for one in done:
        scope.tally.add_done(one)


def _oldest(scope: Scope, roots: Sequence[Path]) -> Sequence[Candidate]:
    """Find the oldest that may go, oldest first, without keeping all of them in memory."""
    found = (one for root in roots for one in _may_go(scope, root))
    return heapq.nsmallest(OLDEST, found, key=lambda one: one.file.modified_ns)


def _may_go(scope: Scope, root: Path) -> Iterator[Candidate]:
    for below in scope.trees.folders(root):
        if isinstance(below, Skipped):
            continue
        try:
            with scope.trees.open(root, below) as folder:
                for file in chain.from_iterable(folder.batches()):
                    is_raw = scope.names.fit(file.name)
                    if is_raw and scope.ages.judge(file.modified_ns) is Age.MIDDLE:
                        yield Candidate(root, below, file)
        except OpsctlError as error:
            scope.tally.add_trouble(f"{error.what}: {error.why}")


def _next_turn(waiting: deque[Candidate], *, enough_bytes: float) -> Sequence[Picked]:
    """Take a few of the oldest, by folder, and none beyond what is enough."""
    turn: list[Candidate] = []
    while waiting and len(turn) < AT_ONCE and enough_bytes >= 0:
        turn.append(waiting.popleft())
        enough_bytes -= turn[-1].file.frees_bytes
    turn.sort(key=_place)
    return [
        Picked(root, below, tuple(one.file for one in group))
        for (root, below), group in groupby(turn, key=_place)
    ]


def _place(one: Candidate) -> tuple[Path, Below]:
    return one.root, one.below
