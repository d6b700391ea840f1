"""`opsctl check`."""

import click

from opsctl.cli.click_classes import OpsctlCommand
from opsctl.cli.session import Session, pass_session
from opsctl.cli.show.text import Block, escape_control
from opsctl.errors import EXIT_ATTENTION, UsageError
from opsctl.findings import Finding, Level
from opsctl.policy.apply_rules import findings_to_accept, without_accepted
from opsctl.policy.baseline import format_baseline
from opsctl.policy.check_project import CheckOptions, CheckResult
from opsctl.policy.check_project import check_project as check_all
from opsctl.policy.model import PolicyReport

_READABLE = 0o644


@click.command(cls=OpsctlCommand, formats=("text", "json", "github", "junit", "sarif"))
@click.argument("paths", metavar="[PATH]...", nargs=-1)
@click.option(
    "--rule", "only", metavar="ID", multiple=True, help="Check only this rule; repeatable."
)
@click.option("--live", is_flag=True, help="Also check the running host and its containers.")
@click.option("--strict", is_flag=True, help="Exit 3 on advice, too.")
@click.option(
    "--write-baseline", is_flag=True, help="Accept today's findings in the baseline file."
)
@pass_session
def check(
    session: Session,
    *,
    paths: tuple[str, ...],
    only: tuple[str, ...],
    live: bool,
    strict: bool,
    write_baseline: bool,
) -> int:
    """Check the project against its rules; exit 3 on findings.

    Reads files, rendered compose projects, settings and git history, and runs none of what it
    checks. docs/check.md lists the rules and how to suppress a finding: with a comment, in the
    baseline, or in configs/policy, where a project can also add rules of its own.

    \b
    Examples:
      opsctl check
      opsctl check src --rule public-ip
      opsctl check --live
      opsctl check -o sarif > check.sarif
    """
    if write_baseline and (paths or only):
        raise UsageError(
            "cannot write a baseline of a part of the project", hint="Leave PATH and --rule out."
        )
    context = session.switch_wiring(session.wiring.or_defaults())
    checked = check_all(context, CheckOptions(paths, only, live))
    report = _accepted(session, checked) if write_baseline else checked.report
    advised = any(finding.level is Level.ADVICE for finding in report.findings)
    code = EXIT_ATTENTION if strict and advised else None
    return session.output.conclude(report, _view(report), exit_code=code)


def _accepted(session: Session, checked: CheckResult) -> PolicyReport:
    accepted = findings_to_accept(checked.report, checked.baseline, checked.asked)
    files = session.wiring.files
    files.make_dirs(checked.baseline_file.parent)
    text = format_baseline(accepted, checked.baseline)
    files.write_text(checked.baseline_file, text, mode=_READABLE)
    session.output.note(f"{len(accepted)} findings accepted in {checked.baseline_file}")
    return without_accepted(checked.report, accepted)


def _view(report: PolicyReport) -> list[Block]:
    shown = [finding for finding in report.findings if finding.level is not Level.OK]
    blocks: list[Block] = [_line(finding) for finding in shown]
    fixes = {finding.check: finding.fix for finding in reversed(shown)}
    if fixes:
        blocks += ["\nTo fix:", *(f"{check}: {fixes[check]}" for check in sorted(fixes)), ""]
    counts = [
        f"{sum(finding.level is level for finding in shown)} {name}"
        for level, name in (
            (Level.CRITICAL, "errors"),
            (Level.WARNING, "warnings"),
            (Level.UNKNOWN, "unknown"),
            (Level.ADVICE, "advice"),
        )
    ]
    asked = f"{report.rules} rules over {report.files} files"
    return [*blocks, f"{asked}: {', '.join(counts)}; {len(report.suppressed)} suppressed"]


def _line(finding: Finding) -> str:
    place = (
        ":".join(filter(None, (escape_control(finding.file), str(finding.line or "")))) or "project"
    )
    word = "error" if finding.level is Level.CRITICAL else finding.level.value
    return f"{place}: {word}: {escape_control(finding.what)} [{finding.check}]"
