"""`opsctl disk retain`: deletes old raw logs; more on a full disk, but never the youngest."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path

from opsctl.disk.context import DiskContext
from opsctl.disk.model import RetainAction, RetainReport, RetainStep
from opsctl.disk.retention.clock_check import record_trusted_clock, require_trusted_clock
from opsctl.disk.retention.close_unfinished import close_unfinished_removals
from opsctl.disk.retention.compress import compress_logs
from opsctl.disk.retention.plan import AgeLimits, NamePatterns
from opsctl.disk.retention.removal_log import RemovalLog
from opsctl.disk.retention.remove_files import Remove, make_remover, simulate_removal
from opsctl.disk.retention.remove_old import OldFileRemoval, build_sweep
from opsctl.disk.retention.remove_oldest import FreeSpaceResult, MountRoots, free_space
from opsctl.disk.retention.scope import RetainScope, RetainTotals
from opsctl.errors import OpsctlError, RefusedError, SettingsError
from opsctl.findings import Finding, Level, Thresholds
from opsctl.health_rules.disk import mount_of
from opsctl.notify.model import Notice, Severity
from opsctl.progress import Progress
from opsctl.systems.files.local import DiskFullError

TOPIC = "retention"
REFUSED_KEY = "retention:refused"
MAX_STEPS = 200
MAX_PROBLEMS = 20
_FOLDERS_FIX = "Check owner and mode: `ls -ld`; links and other mounts are skipped on purpose."
_CLOCK_FIX = "Check `date` on the machine that wrote them; `touch` them, or delete them by hand."


def retain_logs(
    context: DiskContext, *, run: str, is_dry: bool, trust_clock: bool, progress: Progress
) -> RetainReport:
    """Delete what is due, or plan it with `is_dry`; a refusal is reported as well."""
    try:
        scope, roots = _prepare(context, is_dry=is_dry, trust_clock=trust_clock)
    except RefusedError as error:
        if not is_dry:
            summary = f"{error.what}: {error.why}"
            context.notifier.report(
                Notice(REFUSED_KEY, TOPIC, Severity.CRITICAL, summary, error.hint)
            )
        raise
    if not is_dry:
        context.notifier.resolve(REFUSED_KEY, topic=TOPIC, evidence="clock and roots are valid")
    return _run_steps(context, scope, roots, run=run, progress=progress)


def _prepare(
    context: DiskContext, *, is_dry: bool, trust_clock: bool
) -> tuple[RetainScope, tuple[Path, ...]]:
    rules = context.settings.retention
    roots = require_allowed_roots(context)
    ages = AgeLimits.of(
        context.clock.now(),
        min_age_h=rules.min_age_h,
        max_age_h=rules.max_age_h,
        tolerance_s=rules.clock_tolerance_s,
    )
    patterns = NamePatterns(rules.patterns)
    if not trust_clock:
        require_trusted_clock(context, roots, ages=ages, patterns=patterns)
    return RetainScope(context.trees, ages, patterns, RetainTotals(), is_dry), roots


def require_allowed_roots(context: DiskContext) -> tuple[Path, ...]:
    """Return the roots of the settings; refuse all if one is not inside retention.allow."""
    rules = context.settings.retention
    if not rules.roots:
        raise SettingsError(
            "retention.roots is empty: there is nothing to clean",
            hint="Name the folders of raw logs, e.g. retention: {roots: [/data/raw]}.",
        )
    for root in rules.roots:
        if not rules.allows(root):
            raise RefusedError(
                f"cannot clean {root}",
                why=f"retention.allow contains only {', '.join(rules.allow)}",
                hint="Add its folder to retention.allow, if it contains only raw logs.",
            )
    return tuple(Path(root) for root in rules.roots)


def _run_steps(
    context: DiskContext, scope: RetainScope, roots: Sequence[Path], *, run: str, progress: Progress
) -> RetainReport:
    rules = context.settings.retention
    removal_log = RemovalLog(context.store, context.clock, run)
    findings: list[Finding] = []
    if not scope.is_dry:
        findings += close_unfinished_removals(context)
    # Root knows which processes write to which files; others ask the kernel per file.
    is_careful = context.host.user().uid != 0
    for root in roots:
        old_files = OldFileRemoval(scope, root, removal_log, progress, context.clock)
        context.removal_workers.run(
            build_sweep(scope, root, is_careful=is_careful), old_files.handle_report
        )
    compressed = compress_logs(scope, roots, ages_h=rules.compress_after_h)
    remove = simulate_removal if scope.is_dry else make_remover(scope.trees, removal_log)
    findings += _free_full_mounts(context, scope, roots, remove=remove)
    if not scope.is_dry:
        _finish(context, removal_log)
    findings += _totals_findings(scope.totals)
    return RetainReport(
        run=run,
        is_dry=scope.is_dry,
        findings=tuple(findings),
        steps=tuple(_steps(scope, compressed.folders)),
        files=scope.totals.deleted_files,
        freed_bytes=scope.totals.freed_bytes,
        compressed_files=compressed.files,
        saved_bytes=compressed.saved_bytes,
    )


def _finish(context: DiskContext, removal_log: RemovalLog) -> None:
    removal_log.finish()
    keep = timedelta(days=context.settings.retention.keep_listings_days)
    try:
        record_trusted_clock(context)
        context.store.removals.forget_listings(before=context.clock.now() - keep)
    except DiskFullError:
        return  # The next run compares with the older record, which is just as valid.


def _free_full_mounts(
    context: DiskContext, scope: RetainScope, roots: Sequence[Path], *, remove: Remove
) -> Iterator[Finding]:
    for target in _group_by_mount(context, roots):
        mount = target.mount
        thresholds = Thresholds(*context.settings.disk.thresholds(str(mount)))
        try:
            result = free_space(
                scope, target, host=context.host, thresholds=thresholds, remove=remove
            )
        except OpsctlError as error:
            yield Finding(f"disk {mount}", Level.UNKNOWN, f"{error.what}: {error.why}", error.hint)
            continue
        yield _mount_finding(result, context)


def _group_by_mount(context: DiskContext, roots: Sequence[Path]) -> Iterator[MountRoots]:
    mounted = tuple(context.host.mounted())
    groups: dict[Path, list[Path]] = defaultdict(list)
    for root in roots:
        groups[mount_of(root, mounted) or root].append(root)
    yield from (MountRoots(mount, tuple(inside)) for mount, inside in groups.items())


def _mount_finding(result: FreeSpaceResult, context: DiskContext) -> Finding:
    check = f"retention {result.mount}"
    if result.was_percent == result.percent and result.is_below:
        return Finding(check, Level.OK, f"{result.percent:.0f} % used")
    if result.is_below:
        was, now = result.was_percent, result.percent
        what = f"the oldest raw logs were deleted: {was:.0f} % used before, {now:.0f} % after"
        return Finding(check, Level.OK, what)
    hours = context.settings.retention.min_age_h
    what = (
        f"{result.percent:.0f} % used, and no raw log is left that can be deleted:"
        f" those younger than {hours:g} h are always kept"
    )
    fix = f"Free other space: `opsctl prune`; `du -xh -d2 {result.mount} | sort -h` shows where."
    return Finding(check, Level.CRITICAL, what, fix=fix)


def _totals_findings(totals: RetainTotals) -> Iterator[Finding]:
    """WorkerReport what was skipped, and what was not: an OK finding resolves an alert."""
    yield _count_finding("future", totals.future, "files are from the future")
    yield _count_finding("undated", totals.undated, "files have no credible time (before 2000)")
    if totals.written:
        what = f"{totals.written} files are kept: they are, or may be, open for writing"
        yield Finding("retention writers", Level.OK, what)
    if totals.recovered:
        what = f"{totals.recovered} files that a killed run had renamed were renamed to recovered-*"
        yield Finding("retention recovered", Level.OK, what)
    shown = "; ".join(sorted(totals.problems)[:MAX_PROBLEMS])
    level = Level.WARNING if shown else Level.OK
    yield Finding(
        "retention folders", level, shown or "all folders could be cleaned", fix=_FOLDERS_FIX
    )


def _count_finding(check: str, count: int, what: str) -> Finding:
    level = Level.WARNING if count else Level.OK
    return Finding(f"retention {check}", level, f"{count} {what}; they are kept", fix=_CLOCK_FIX)


def _steps(scope: RetainScope, compressed: Mapping[str, tuple[int, int]]) -> Iterator[RetainStep]:
    largest = sorted(scope.totals.steps.items(), key=lambda step: (-step[1][1], step[0]))
    for folder, (files, size) in largest[:MAX_STEPS]:
        if files:
            yield RetainStep(
                RetainAction.DELETE, folder, files, size, "old, or among the oldest on a full disk"
            )
    for folder, (files, size) in sorted(compressed.items())[:MAX_STEPS]:
        yield RetainStep(
            RetainAction.COMPRESS, folder, files, size, "older than retention.compress_after_h"
        )
