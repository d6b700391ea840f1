"""`opsctl doctor`."""

import click

from opsctl.cli.click_classes import OpsctlCommand
from opsctl.cli.flags import FORMATS
from opsctl.cli.session import Session, pass_session
from opsctl.cli.show.text import Block, Table
from opsctl.doctor.checks import list_checks
from opsctl.doctor.model import DoctorReport
from opsctl.doctor.run_checks import run_checks
from opsctl.findings import Level


@click.command(cls=OpsctlCommand, formats=FORMATS)
@pass_session
def doctor(session: Session) -> int:
    """Check that everything opsctl needs works; exit 3 if not.

    Engine, compose, disk, git, settings, state, and each system that the settings name: whether it
    answers, its version, its clock. All at once, and no longer than doctor.timeout_s.

    \b
    Examples:
      opsctl doctor
      opsctl doctor -e prod -o nagios       as a monitoring check
    """
    patient = session.switch_wiring(session.wiring.or_defaults())
    report = run_checks(
        list_checks(patient),
        deadline_s=patient.settings.doctor.timeout_s,
        clock=patient.clock,
        progress=session.progress,
    )
    return session.output.conclude(report, _view(report))


def _view(report: DoctorReport) -> list[Block]:
    rows = tuple((f.check, f.level.value, f.what) for f in report.findings)
    fixes = [f"{f.check}: {f.fix}" for f in report.findings if f.fix and f.level is not Level.OK]
    return [Table(("check", "", "finding"), rows), *(["\nTo fix:"] if fixes else []), *fixes]
