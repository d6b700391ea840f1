"""Checks that the wall clock can be trusted, before files are deleted by age."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path

from opsctl.disk.context import DiskContext
from opsctl.disk.retention.plan import (
    AgeClass,
    AgeLimits,
    ClockLimits,
    ClockReading,
    NamePatterns,
    find_clock_problem,
    find_clock_problem_in_ages,
)
from opsctl.errors import OpsctlError, RefusedError
from opsctl.state.model import ClockMark
from opsctl.systems.removal.tree import SkippedFolder, Trees

RECORD_NAME = "retention"


def require_trusted_clock(
    context: DiskContext, roots: Sequence[Path], *, ages: AgeLimits, patterns: NamePatterns
) -> None:
    """Refuse if the clock has jumped, or if no file confirms it."""
    rules = context.settings.retention
    limits = ClockLimits(rules.clock_tolerance_s, timedelta(days=rules.max_pause_days))
    before = context.store.clock_marks.find(RECORD_NAME)
    past = ClockReading(before.wall, before.steady_s, before.boot) if before else None
    why = find_clock_problem(_read_clocks(context), past, limits)
    if not why and past is None:
        why = find_clock_problem_in_ages(
            _file_ages(context.trees, roots, ages=ages, patterns=patterns)
        )
    if why:
        raise RefusedError(
            "cannot delete raw logs: the clock cannot be trusted",
            why=why,
            hint="Check `timedatectl`; if the time is right: opsctl disk retain --trust-clock",
        )


def record_trusted_clock(context: DiskContext) -> None:
    """Record that the clock is trusted now, for the next run to compare."""
    now = _read_clocks(context)
    context.store.clock_marks.save(RECORD_NAME, ClockMark(now.wall, now.steady_s, now.boot))


def _read_clocks(context: DiskContext) -> ClockReading:
    return ClockReading(context.clock.now(), context.clock.steady(), context.host.boot().id)


def _file_ages(
    trees: Trees, roots: Sequence[Path], *, ages: AgeLimits, patterns: NamePatterns
) -> Iterator[AgeClass]:
    for root in roots:
        for below in trees.folders(root):
            if isinstance(below, SkippedFolder):
                continue
            try:
                with trees.open(root, below) as folder:
                    for batch in folder.batches():
                        yield from (
                            ages.classify(file.modified_ns)
                            for file in batch
                            if patterns.matches(file.name)
                        )
            except OpsctlError:
                continue
