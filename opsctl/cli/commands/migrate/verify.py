"""`opsctl migrate verify`."""

from collections.abc import Iterator, Sequence

import click

from opsctl.cli.click_classes import OpsctlCommand
from opsctl.cli.commands.migrate.group import parse_variables, set_option
from opsctl.cli.flags import FORMATS
from opsctl.cli.session import Session, pass_session
from opsctl.cli.show.text import Block
from opsctl.migrate.run_model import MigrationFlags
from opsctl.migrate.verify import VerifyReport, verify_database


@click.command(cls=OpsctlCommand, formats=FORMATS)
@click.option(
    "--no-schema", is_flag=True, help="Compare only the files; create no shadow database."
)
@set_option
@pass_session
def verify(session: Session, *, no_schema: bool, given: Sequence[str]) -> int:
    """Find edited files and schema drift.

    An edited file is compared with the applied text from git. Then the files are run on an empty
    database, and its schema is compared with the live one. Exits 3 if anything has drifted.

    \b
    Examples:
      opsctl migrate verify
      opsctl migrate verify --no-schema
      opsctl migrate verify -o github
    """
    context = session.wiring.migrations(MigrationFlags(parse_variables(given)))
    if not no_schema:
        session.wiring.guard_production(session.command)
    with context.open_tracking_table() as tracking:
        report = verify_database(context, tracking, session.wiring.git, schema=not no_schema)
    return session.output.conclude(report, _report_blocks(report))


def _report_blocks(report: VerifyReport) -> Iterator[Block]:
    for finding in report.findings:
        yield f"{finding.level}: {finding.what}"
    for drift in report.drifts:
        yield "\n".join(["", drift.what, *(f"  {line}" for line in drift.diff)])
    for fix in dict.fromkeys(finding.fix for finding in report.findings if finding.fix):
        yield f"try: {fix}"
