"""`opsctl disk retain`: raw logs that are old go; on a full disk more, but never the youngest."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path

from opsctl.disk.context import Parts
from opsctl.disk.model import Deed, RetainReport, Step
from opsctl.disk.retention.clock_check import require_clock, vouch
from opsctl.disk.retention.compress import compress
from opsctl.disk.retention.plan import Ages, Names
from opsctl.disk.retention.removal_log import Ledger
from opsctl.disk.retention.remove_files import Remove, only_saying, removing
from opsctl.disk.retention.remove_old import Sweeping, due_below
from opsctl.disk.retention.remove_oldest import Place, Relief, relieve
from opsctl.disk.retention.resume import settle
from opsctl.disk.retention.totals import Scope, Tally
from opsctl.errors import OpsctlError, RefusedError, SettingsError
from opsctl.findings import Finding, Level, Thresholds
from opsctl.notify.model import Notice, Severity
from opsctl.progress import Progress
from opsctl.systems.files.local import DiskFullError

TOPIC = "retention"
REFUSED = "retention:refused"
MOST_STEPS = 200
MOST_TROUBLES = 20
_FOLDERS_FIX = "Look at owner and mode: `ls -ld`; links and other mounts are left on purpose."
_CLOCK_FIX = "Look at `date` where they come from; `touch` them, or remove them by hand."


def retain(
    parts: Parts, *, run: str, is_dry: bool, trust_clock: bool, progress: Progress
) -> RetainReport:
    """Do what is due, or with `is_dry` say what would be done; a refusal is told as well."""
    try:
        scope, roots = _prepared(parts, is_dry=is_dry, trust_clock=trust_clock)
    except RefusedError as error:
        if not is_dry:
            said = f"{error.what}: {error.why}"
            parts.notifier.tell(Notice(REFUSED, TOPIC, Severity.CRITICAL, said, error.hint))
        raise
    if not is_dry:
        parts.notifier.resolve(REFUSED, topic=TOPIC, evidence="clock and roots were found right")
    return _carry_out(parts, scope, roots, run=run, progress=progress)


def _prepared(parts: Parts, *, is_dry: bool, trust_clock: bool) -> tuple[Scope, tuple[Path, ...]]:
    rules = parts.settings.retention
    roots = allowed_roots(parts)
    ages = Ages.of(
        parts.clock.now(),
        min_age_h=rules.min_age_h,
        max_age_h=rules.max_age_h,
        slack_s=rules.clock_slack_s,
    )
    names = Names(rules.patterns)
    if not trust_clock:
        require_clock(parts, roots, ages=ages, names=names)
    return Scope(parts.trees, ages, names, Tally(), is_dry), roots


def allowed_roots(parts: Parts) -> tuple[Path, ...]:
    """Give the roots of the settings; refuse all where one lies outside of what they allow."""
    rules = parts.settings.retention
    if not rules.roots:
        raise SettingsError(
            "retention.roots is empty: there is nothing to clean",
            hint="Name the folders of raw logs, e.g. retention: {roots: [/data/raw]}.",
        )
    for root in rules.roots:
        if not rules.allows(root):
            raise RefusedError(
                f"Refused to clean {root}",
                why=f"retention.allow has only {', '.join(rules.allow)}",
                hint="Add its folder to retention.allow, if it holds nothing but raw logs.",
            )
    return tuple(Path(root) for root in rules.roots)


def _carry_out(
    parts: Parts, scope: Scope, roots: Sequence[Path], *, run: str, progress: Progress
) -> RetainReport:
    rules = parts.settings.retention
    ledger = Ledger(parts.store, parts.clock, run)
    findings: list[Finding] = []
    if not scope.is_dry:
        findings += settle(parts)
    # Root has seen who writes to what; others ask the kernel about each file.
    is_careful = parts.host.user().uid != 0
    for root in roots:
        sweeping = Sweeping(scope, root, ledger, progress, parts.clock)
        parts.sweepers.sweep(due_below(scope, root, is_careful=is_careful), sweeping.answer)
    squeezed = compress(scope, roots, ages_h=rules.compress_after_h)
    remove = only_saying if scope.is_dry else removing(scope.trees, ledger)
    findings += _relieved(parts, scope, roots, remove=remove)
    if not scope.is_dry:
        _finish(parts, ledger)
    findings += _met(scope.tally)
    return RetainReport(
        run=run,
        is_dry=scope.is_dry,
        findings=tuple(findings),
        steps=tuple(_steps(scope, squeezed.folders)),
        files=scope.tally.gone_files,
        freed_bytes=scope.tally.freed_bytes,
        compressed_files=squeezed.files,
        saved_bytes=squeezed.saved_bytes,
    )


def _finish(parts: Parts, ledger: Ledger) -> None:
    ledger.finish()
    keep = timedelta(days=parts.settings.retention.keep_listings_days)
    try:
        vouch(parts)
        parts.store.removals.forget_listings(before=parts.clock.now() - keep)
    except DiskFullError:
        return  # The next run finds the older mark, which is as true.


def _relieved(
    parts: Parts, scope: Scope, roots: Sequence[Path], *, remove: Remove
) -> Iterator[Finding]:
    for place in _by_mount(parts, roots):
        mount = place.mount
        marks = Thresholds(*parts.settings.disk.marks(str(mount)))
        try:
            relief = relieve(scope, place, host=parts.host, marks=marks, remove=remove)
        except OpsctlError as error:
            yield Finding(f"disk {mount}", Level.UNKNOWN, f"{error.what}: {error.why}", error.hint)
            continue
        yield _said(relief, parts)


def _by_mount(parts: Parts, roots: Sequence[Path]) -> Iterator[Place]:
    mounted = sorted(parts.host.mounted(), key=lambda path: len(path.parts), reverse=True)
    groups: dict[Path, list[Path]] = defaultdict(list)
    for root in roots:
        groups[next((m for m in mounted if root.is_relative_to(m)), root)].append(root)
    yield from (Place(mount, tuple(inside)) for mount, inside in groups.items())


def _said(relief: Relief, parts: Parts) -> Finding:
    check = f"retention {relief.mount}"
    if relief.was_percent == relief.percent and relief.is_below:
        return Finding(check, Level.OK, f"{relief.percent:.0f} % used")
    if relief.is_below:
        was, now = relief.was_percent, relief.percent
        what = f"the oldest raw logs went: {was:.0f} % used before, {now:.0f} % after"
        return Finding(check, Level.OK, what)
    hours = parts.settings.retention.min_age_h
    what = (
        f"{relief.percent:.0f} % used, and no raw log is left that may go:"
        f" none younger than {hours:g} h ever does"
    )
    fix = f"Free something else: `opsctl prune`; `du -xh -d2 {relief.mount} | sort -h` shows what."
    return Finding(check, Level.CRITICAL, what, fix=fix)


def _met(tally: Tally) -> Iterator[Finding]:
    """Say what was left alone, and what was not met too: that is the end of what was told."""
    yield _counted("future", tally.future, "files are from the future")
    yield _counted("undated", tally.undated, "files have no credible time (before 2000)")
    if tally.written:
        what = f"{tally.written} files are being written to, or nobody could tell; they stay"
        yield Finding("retention writers", Level.OK, what)
    if tally.recovered:
        what = f"{tally.recovered} files that a killed run had moved have a name again: recovered-*"
        yield Finding("retention recovered", Level.OK, what)
    shown = "; ".join(sorted(tally.troubles)[:MOST_TROUBLES])
    level = Level.WARNING if shown else Level.OK
    yield Finding("retention folders", level, shown or "each could be cleaned", fix=_FOLDERS_FIX)


def _counted(check: str, count: int, what: str) -> Finding:
    level = Level.WARNING if count else Level.OK
    return Finding(f"retention {check}", level, f"{count} {what}; they stay", fix=_CLOCK_FIX)


def _steps(scope: Scope, squeezed: Mapping[str, tuple[int, int]]) -> Iterator[Step]:
    largest = sorted(scope.tally.steps.items(), key=lambda step: (-step[1][1], step[0]))
    for folder, (files, size) in largest[:MOST_STEPS]:
        if files:
            yield Step(Deed.REMOVE, folder, files, size, "old, or the oldest on a full disk")
    for folder, (files, size) in sorted(squeezed.items())[:MOST_STEPS]:
        yield Step(Deed.COMPRESS, folder, files, size, "old enough to be compressed")
