"""`opsctl migrate status`, `verify` and `dump`."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import click

from opsctl.cli.click_classes import OpsctlCommand
from opsctl.cli.commands.migrate.apply import values
from opsctl.cli.flags import FORMATS
from opsctl.cli.session import Session, pass_session
from opsctl.cli.show.text import Block, Table
from opsctl.errors import EXIT_OK, EXIT_PENDING
from opsctl.migrate.dialect import Named
from opsctl.migrate.dump import as_text
from opsctl.migrate.model import Standing, State
from opsctl.migrate.project import look
from opsctl.migrate.run_model import Asked
from opsctl.migrate.values import read_values
from opsctl.migrate.verify import Verdict, verify_all

_WAITING = {State.PENDING, State.OUT_OF_ORDER, State.INTERRUPTED}


@dataclass(frozen=True, slots=True)
class Row:
    """One version as `status` shows it."""

    version: int
    name: str
    file: str | None
    state: State
    note: str
    applied_at: datetime | None
    applied_by: str
    duration_ms: int | None
    opsctl_version: str
    git_sha: str


@dataclass(frozen=True, slots=True)
class Status:
    database: str
    migrations: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Schema:
    objects: tuple[Named, ...]


@click.command(cls=OpsctlCommand)
@click.option("--exit-code", is_flag=True, help="Exit 4 if files are pending.")
@pass_session
def status(session: Session, *, exit_code: bool) -> int:
    """Say where every file stands.

    applied, pending, edited (changed since it was applied), missing (applied, the file is gone),
    out of order (pending below an applied one), interrupted (started, never finished).
    """
    project = session.wiring.migrations()
    with project.ledger() as ledger:
        rows = tuple(_row(standing) for standing in look(project, ledger, whole=True))
    waiting = any(row.state in _WAITING for row in rows)
    code = EXIT_PENDING if exit_code and waiting else EXIT_OK
    report = Status(project.dialect.scripts.address, rows)
    return session.output.conclude(report, [_table(rows)], exit_code=code)


@click.command(cls=OpsctlCommand, formats=FORMATS)
@click.option("--no-schema", is_flag=True, help="Only the files; build no shadow database.")
@values
@pass_session
def verify(session: Session, *, no_schema: bool, given: Sequence[str]) -> int:
    """Find files and schemas that have drifted; exit 3 on trouble.

    Every edited file is compared with git's text of it when it was applied. Then an empty database
    is built from the files and its schema compared with the live one.
    """
    project = session.wiring.migrations(Asked(read_values(given)))
    if not no_schema:
        session.wiring.guard_production(session.command)
    with project.ledger() as ledger:
        verdict = verify_all(project, ledger, session.wiring.git, schema=not no_schema)
    return session.output.conclude(verdict, _verdict(verdict))


@click.command(cls=OpsctlCommand)
@pass_session
def dump(session: Session) -> int:
    """Print the schema, in an order that stays: for reading and for diffs, not a backup."""
    project = session.wiring.migrations()
    with project.ledger() as ledger:
        objects = tuple(project.dialect.schema(ledger.session))
    return session.output.conclude(Schema(objects), [as_text(objects)])


def _row(standing: Standing) -> Row:
    row, migration = standing.applied, standing.migration
    return Row(
        standing.version,
        standing.name,
        migration.file if migration else None,
        standing.state,
        standing.note,
        row.applied_at if row else None,
        row.applied_by if row else "",
        row.duration_ms if row else None,
        row.opsctl_version if row else "",
        row.git_sha if row else "",
    )


def _table(rows: Sequence[Row]) -> Table:
    head = ("version", "name", "state", "applied at", "by", "ms", "note")
    return Table(head, tuple(_cells(row) for row in rows))


def _cells(row: Row) -> tuple[str, ...]:
    at = f"{row.applied_at:%Y-%m-%d %H:%M:%S}" if row.applied_at else ""
    took = "" if row.duration_ms is None else str(row.duration_ms)
    return (str(row.version), row.name, row.state.value, at, row.applied_by, took, row.note)


def _verdict(verdict: Verdict) -> Iterator[Block]:
    for finding in verdict.findings:
        yield f"{finding.level}: {finding.what}"
    for drift in verdict.drifts:
        yield "\n".join(["", drift.what, *(f"  {line}" for line in drift.diff)])
    for fix in dict.fromkeys(finding.fix for finding in verdict.findings if finding.fix):
        yield f"try: {fix}"
