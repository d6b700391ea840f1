"""Can the wall clock be believed? Before anything goes by its age."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path

from opsctl.disk.context import Parts
from opsctl.disk.retention.plan import (
    Age,
    Ages,
    ClockRules,
    Moment,
    Names,
    doubt,
    doubt_without_past,
)
from opsctl.errors import OpsctlError, RefusedError
from opsctl.state.model import ClockMark
from opsctl.systems.removal.tree import SkippedFolder, Trees

MARK = "retention"


def require_clock(parts: Parts, roots: Sequence[Path], *, ages: Ages, names: Names) -> None:
    """Refuse where the clock has jumped, or nothing speaks for it."""
    rules = parts.settings.retention
    limits = ClockRules(rules.clock_slack_s, timedelta(days=rules.longest_pause_days))
    before = parts.store.clock_marks.find(MARK)
    past = Moment(before.wall, before.steady_s, before.boot) if before else None
    why = doubt(_now(parts), past, limits)
    if not why and past is None:
        why = doubt_without_past(_seen(parts.trees, roots, ages=ages, names=names))
    if why:
        raise RefusedError(
            "Refused to remove anything: the clock cannot be believed",
            why=why,
            hint="Look at `timedatectl`; if the time is right: opsctl disk retain --trust-clock",
        )


def vouch(parts: Parts) -> None:
    """Note that the clock was believed now, for the next run to compare with."""
    now = _now(parts)
    parts.store.clock_marks.save(MARK, ClockMark(now.wall, now.steady_s, now.boot))


def _now(parts: Parts) -> Moment:
    return Moment(parts.clock.now(), parts.clock.steady(), parts.host.boot().id)


def _seen(trees: Trees, roots: Sequence[Path], *, ages: Ages, names: Names) -> Iterator[Age]:
    for root in roots:
        for below in trees.folders(root):
            if isinstance(below, SkippedFolder):
                continue
            try:
                with trees.open(root, below) as folder:
                    for batch in folder.batches():
                        yield from (
                            ages.judge(file.modified_ns) for file in batch if names.fit(file.name)
                        )
            except OpsctlError:
                continue
