"""`opsctl disk`."""

import uuid

import click

from opsctl.cli.click_classes import CommandGroup
from opsctl.cli.confirm import confirm
from opsctl.cli.flags import FORMATS, lock_timeout
from opsctl.cli.session import Session, pass_session
from opsctl.cli.show.chart import draw_chart
from opsctl.cli.show.text import Block, Table
from opsctl.disk.alerts import tell
from opsctl.disk.check import check_disks
from opsctl.disk.model import CheckReport, RetainReport, TrendReport
from opsctl.disk.retention.removal_log import on_record
from opsctl.disk.retention.retain import retain as run_retain
from opsctl.disk.trend import look_ahead
from opsctl.disk.watch import watch as run_watch
from opsctl.findings import Finding, Level
from opsctl.state.model import Action
from opsctl.units import format_bytes


@click.group(cls=CommandGroup)
def disk() -> None:
    """How full the disks are, where that leads, and which raw logs go."""


@disk.command(formats=FORMATS)
@click.option("--no-notify", is_flag=True, help="Look only: tell nobody and remember nothing told.")
@pass_session
def check(session: Session, *, no_notify: bool) -> int:
    """Measure every mount; exit 3 if one is too full, hangs or is gone.

    Space as psutil counts it (blocks reserved for root are used) and inodes; what the container
    engine takes, and what of that `opsctl prune` gives back; the largest folders.
    """
    report = check_disks(session.wiring, tells=not no_notify)
    return session.output.conclude(report, _check_view(report))


@disk.command(formats=FORMATS)
@pass_session
def trend(session: Session) -> int:
    """Say when each mount will be full, or that nobody can tell; exit 3 if that is soon.

    From the samples that `disk check` and `disk watch` keep: the median of all slopes, with the
    range that holds the true one nine times out of ten.
    """
    report = look_ahead(session.wiring)
    return session.output.conclude(report, _trend_view(report))


@disk.command()
@pass_session
def watch(session: Session) -> None:
    """Check again and again and tell of what changes, until it is stopped."""
    session.output.note("watching; stop it with Ctrl-C or SIGTERM")
    run_watch(session.wiring, lambda report: session.output.event(report, _line(report)))


@disk.command(formats=FORMATS)
@click.option("-n", "--dry-run", is_flag=True, help="Show what would go; remove nothing.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@click.option("--trust-clock", is_flag=True, help="The clock is right, whatever speaks against it.")
@lock_timeout
@pass_session
def retain(
    session: Session, *, dry_run: bool, yes: bool, trust_clock: bool, lock_timeout_s: float | None
) -> int:
    """Remove raw logs that are old, and on a full disk the oldest; exit 3 if that is not enough.

    Older than retention.max_age_h (120 h) goes. On a mount above its mark the oldest go first,
    until it is below disk.clear_percent. Nothing younger than 48 h ever goes, however full it is.
    """
    wiring, run = session.wiring, uuid.uuid4().hex
    if dry_run:
        report = run_retain(
            wiring, run=run, is_dry=True, trust_clock=trust_clock, progress=session.progress
        )
        return session.output.conclude(report, _retain_view(report))
    wiring.guard_production(session.command)
    roots = ", ".join(wiring.settings.retention.roots)
    confirm(session, f"Remove old raw logs below {roots}?", yes=yes)
    action = Action(wiring.actor, wiring.settings.env, session.command, "raw logs", {"run": run})
    session.left_behind = "what had been removed is in the audit; `opsctl disk retain` goes on"
    with (
        wiring.locks.hold("retain", purpose="opsctl disk retain", wait_s=lock_timeout_s or 0.0),
        on_record(action, store=wiring.store, clock=wiring.clock),
    ):
        report = run_retain(
            wiring, run=run, is_dry=False, trust_clock=trust_clock, progress=session.progress
        )
    tell(wiring, report.findings, topic="retention")
    return session.output.conclude(report, _retain_view(report))


def _check_view(report: CheckReport) -> list[Block]:
    rows = tuple((f.check, f.level.value, f.what) for f in report.findings)
    view: list[Block] = [Table(("check", "", "finding"), rows)]
    if report.engine:
        shares = tuple(
            (one.what, format_bytes(one.size_bytes), format_bytes(one.prunable_bytes))
            for one in report.engine
        )
        view += ["", Table(("container engine", "takes", "`opsctl prune` frees"), shares)]
    if report.folders:
        folders = tuple(
            (str(one.path), ("" if one.is_whole else "at least ") + format_bytes(one.size_bytes))
            for one in report.folders
        )
        view += ["", Table(("largest folders", "size"), folders)]
    return [*view, *(f"note: {note}" for note in report.notes), *_fixes(report.findings)]


def _trend_view(report: TrendReport) -> list[Block]:
    if not report.trends:
        return ["no history yet: `opsctl disk check` keeps a sample each time it runs"]
    view: list[Block] = []
    for one in report.trends:
        view += [f"{one.mount}: {one.said}", *draw_chart(one.points), ""]
    return view


def _retain_view(report: RetainReport) -> list[Block]:
    rows = tuple(
        (step.deed.value, str(step.files), format_bytes(step.size_bytes), step.folder, step.reason)
        for step in report.steps
    )
    verb = "would go" if report.is_dry else "went"
    said = f"{report.files} files {verb}, {format_bytes(report.freed_bytes)}"
    if report.compressed_files:
        said += f"; {report.compressed_files} compressed, {format_bytes(report.saved_bytes)} saved"
    table: list[Block] = [Table(("", "files", "size", "folder", "why"), rows)] if rows else []
    findings = [f"{f.level}: {f.what}" for f in report.findings]
    return [*table, said, *findings, *_fixes(report.findings)]


def _fixes(findings: tuple[Finding, ...]) -> list[str]:
    fixes = [f"{f.check}: {f.fix}" for f in findings if f.fix and f.level is not Level.OK]
    return ["\nTo mend it:", *fixes] if fixes else []


def _line(report: CheckReport) -> str:
    troubles = [
        f"{f.level} {f.check}: {f.what}" for f in report.findings if f.level is not Level.OK
    ]
    return "; ".join(troubles) or f"ok: {len(report.mounts)} mounts"
