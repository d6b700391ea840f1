"""`opsctl disk`."""

import uuid

import click

from opsctl.cli.click_classes import CommandGroup
from opsctl.cli.confirm import confirm
from opsctl.cli.flags import FORMATS, lock_timeout
from opsctl.cli.session import Session, pass_session
from opsctl.cli.show.chart import draw_chart
from opsctl.cli.show.text import Block, Table
from opsctl.disk.alerts import report_findings
from opsctl.disk.check import check_disks
from opsctl.disk.model import DiskCheckReport, DiskTrendReport, RetainReport
from opsctl.disk.retention.removal_log import audited_even_when_full
from opsctl.disk.retention.retain import retain_logs
from opsctl.disk.trend import forecast_disks
from opsctl.disk.watch import watch_disks
from opsctl.findings import Finding, Level
from opsctl.state.model import Action
from opsctl.units import format_bytes


@click.group(cls=CommandGroup)
def disk() -> None:
    """Check disks, forecast when they fill up, delete old raw logs."""


@disk.command(formats=FORMATS)
@click.option("--no-notify", is_flag=True, help="Send no message and change no alert.")
@pass_session
def check(session: Session, *, no_notify: bool) -> int:
    """Report the usage of every mount, the engine and large folders.

    Space as psutil counts it (blocks reserved for root count as used) and inodes; what the
    container engine uses, and how much of that `opsctl prune` frees; the largest folders.

    Exits 3 if a mount is too full, hangs or is missing.

    \b
    Examples:
      opsctl disk check
      opsctl disk check --no-notify
      opsctl -e prod disk check -o nagios
    """
    report = check_disks(session.wiring, notifies=not no_notify)
    return session.output.conclude(report, _check_view(report))


@disk.command(formats=FORMATS)
@pass_session
def trend(session: Session) -> int:
    """Forecast when each mount will be full.

    Uses the samples that `disk check` and `disk watch` record: the median of all slopes, with
    its 90 % confidence interval.

    Exits 3 if a mount will probably be full within disk.full_within_days.
    """
    report = forecast_disks(session.wiring)
    return session.output.conclude(report, _trend_view(report))


@disk.command()
@pass_session
def watch(session: Session) -> None:
    """Check disks at an interval and report changes, until stopped."""
    session.output.note("watching; stop with Ctrl-C or SIGTERM")
    watch_disks(session.wiring, lambda report: session.output.event(report, _summary_line(report)))


@disk.command(formats=FORMATS)
@click.option("-n", "--dry-run", is_flag=True, help="Show what would be deleted; delete nothing.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask for confirmation.")
@click.option("--trust-clock", is_flag=True, help="Skip the clock check: the time is right.")
@lock_timeout
@pass_session
def retain(
    session: Session, *, dry_run: bool, yes: bool, trust_clock: bool, lock_timeout_s: float | None
) -> int:
    """Delete old raw logs, and on a full disk the oldest first.

    Deletes logs older than retention.max_age_h (120 h). On a mount above its warning threshold it
    deletes the oldest until the mount is below disk.clear_percent. Logs younger than 48 h are
    always kept, however full the disk is.

    Exits 3 if that does not free enough, or if files were skipped.

    \b
    Examples:
      opsctl disk retain -n
      opsctl disk retain
      opsctl -e prod disk retain --yes
    """
    wiring, run = session.wiring, uuid.uuid4().hex
    if dry_run:
        report = retain_logs(
            wiring, run=run, is_dry=True, trust_clock=trust_clock, progress=session.progress
        )
        return session.output.conclude(report, _retain_view(report))
    wiring.guard_production(session.command)
    roots = ", ".join(wiring.settings.retention.roots)
    confirm(session, f"Delete old raw logs in {roots}?", yes=yes)
    action = Action(wiring.actor, wiring.settings.env, session.command, "raw logs", {"run": run})
    session.left_behind = "the files deleted so far are recorded; `opsctl disk retain` continues"
    with (
        wiring.locks.hold("retain", purpose="opsctl disk retain", wait_s=lock_timeout_s or 0.0),
        audited_even_when_full(action, store=wiring.store, clock=wiring.clock),
    ):
        report = retain_logs(
            wiring, run=run, is_dry=False, trust_clock=trust_clock, progress=session.progress
        )
    report_findings(wiring, report.findings, topic="retention")
    return session.output.conclude(report, _retain_view(report))


def _check_view(report: DiskCheckReport) -> list[Block]:
    rows = tuple((f.check, f.level.value, f.what) for f in report.findings)
    view: list[Block] = [Table(("check", "", "finding"), rows)]
    if report.engine:
        usages = tuple(
            (usage.kind, format_bytes(usage.size_bytes), format_bytes(usage.prunable_bytes))
            for usage in report.engine
        )
        view += ["", Table(("container engine", "size", "`opsctl prune` frees"), usages)]
    if report.folders:
        folders = tuple(
            (
                str(folder.path),
                ("" if folder.is_complete else "at least ") + format_bytes(folder.size_bytes),
            )
            for folder in report.folders
        )
        view += ["", Table(("largest folders", "size"), folders)]
    return [*view, *(f"note: {note}" for note in report.notes), *_fix_lines(report.findings)]


def _trend_view(report: DiskTrendReport) -> list[Block]:
    if not report.trends:
        return ["no history yet: `opsctl disk check` records a sample each time it runs"]
    view: list[Block] = []
    for forecast in report.trends:
        view += [f"{forecast.mount}: {forecast.summary}", *draw_chart(forecast.points), ""]
    return view


def _retain_view(report: RetainReport) -> list[Block]:
    rows = tuple(
        (
            step.action.value,
            str(step.files),
            format_bytes(step.size_bytes),
            step.folder,
            step.reason,
        )
        for step in report.steps
    )
    verb = "would be deleted" if report.is_dry else "deleted"
    summary = f"{report.files} files {verb}, {format_bytes(report.freed_bytes)}"
    if report.compressed_files:
        summary += (
            f"; {report.compressed_files} compressed, {format_bytes(report.saved_bytes)} saved"
        )
    table: list[Block] = [Table(("", "files", "size", "folder", "why"), rows)] if rows else []
    findings = [f"{f.level}: {f.what}" for f in report.findings]
    return [*table, summary, *findings, *_fix_lines(report.findings)]


def _fix_lines(findings: tuple[Finding, ...]) -> list[str]:
    fixes = [f"{f.check}: {f.fix}" for f in findings if f.fix and f.level is not Level.OK]
    return ["\nTo fix:", *fixes] if fixes else []


def _summary_line(report: DiskCheckReport) -> str:
    problems = [
        f"{f.level} {f.check}: {f.what}" for f in report.findings if f.level is not Level.OK
    ]
    return "; ".join(problems) or f"ok: {len(report.mounts)} mounts"
