"""`opsctl migrate verify`."""

from collections.abc import Iterator, Sequence

import click

from opsctl.cli.click_classes import OpsctlCommand
from opsctl.cli.commands.migrate.group import parse_variables, set_option
from opsctl.cli.flags import FORMATS
from opsctl.cli.session import Session, pass_session
from opsctl.cli.show.text import Block
from opsctl.migrate.run_model import Asked
from opsctl.migrate.verify import Verdict, verify_all


@click.command(cls=OpsctlCommand, formats=FORMATS)
@click.option("--no-schema", is_flag=True, help="Only the files; build no shadow database.")
@set_option
@pass_session
def verify(session: Session, *, no_schema: bool, given: Sequence[str]) -> int:
    """Find files and schemas that have drifted; exit 3 on trouble.

    Every edited file is compared with git's text of it when it was applied. Then an empty database
    is built from the files and its schema compared with the live one.
    """
    project = session.wiring.migrations(Asked(parse_variables(given)))
    if not no_schema:
        session.wiring.guard_production(session.command)
    with project.ledger() as ledger:
        verdict = verify_all(project, ledger, session.wiring.git, schema=not no_schema)
    return session.output.conclude(verdict, _verdict(verdict))


def _verdict(verdict: Verdict) -> Iterator[Block]:
    for finding in verdict.findings:
        yield f"{finding.level}: {finding.what}"
    for drift in verdict.drifts:
        yield "\n".join(["", drift.what, *(f"  {line}" for line in drift.diff)])
    for fix in dict.fromkeys(finding.fix for finding in verdict.findings if finding.fix):
        yield f"try: {fix}"
