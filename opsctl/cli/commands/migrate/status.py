"""`opsctl migrate status`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import click

from opsctl.cli.click_classes import OpsctlCommand
from opsctl.cli.session import Session, pass_session
from opsctl.cli.show.text import Table
from opsctl.errors import EXIT_OK, EXIT_PENDING
from opsctl.migrate.context import read_statuses
from opsctl.migrate.model import MigrationState, MigrationStatus

_TO_APPLY = {MigrationState.PENDING, MigrationState.OUT_OF_ORDER, MigrationState.INTERRUPTED}


@dataclass(frozen=True, slots=True)
class MigrationRow:
    """One version as `status` shows it."""

    version: int
    name: str
    file: str | None
    state: MigrationState
    note: str
    applied_at: datetime | None
    applied_by: str
    duration_ms: int | None
    opsctl_version: str
    git_sha: str


@dataclass(frozen=True, slots=True)
class MigrationStatusReport:
    database: str
    migrations: tuple[MigrationRow, ...]


@click.command(cls=OpsctlCommand)
@click.option("--exit-code", is_flag=True, help="Exit 4 if files are pending.")
@pass_session
def status(session: Session, *, exit_code: bool) -> int:
    """Show the state of every migration.

    States: applied, pending, edited (changed after it was applied), missing (applied, but there is
    no file), out of order (pending below an applied version), interrupted (started, not finished).
    """
    context = session.wiring.migrations()
    with context.open_tracking_table() as tracking:
        rows = tuple(_row(status) for status in read_statuses(context, tracking, whole=True))
    waiting = any(row.state in _TO_APPLY for row in rows)
    code = EXIT_PENDING if exit_code and waiting else EXIT_OK
    report = MigrationStatusReport(context.dialect.scripts.address, rows)
    return session.output.conclude(report, [_table(rows)], exit_code=code)


def _row(status: MigrationStatus) -> MigrationRow:
    row, migration = status.applied, status.migration
    return MigrationRow(
        status.version,
        status.name,
        migration.file if migration else None,
        status.state,
        status.note,
        row.applied_at if row else None,
        row.applied_by if row else "",
        row.duration_ms if row else None,
        row.opsctl_version if row else "",
        row.git_sha if row else "",
    )


def _table(rows: Sequence[MigrationRow]) -> Table:
    head = ("version", "name", "state", "applied at", "by", "ms", "note")
    return Table(head, tuple(_cells(row) for row in rows))


def _cells(row: MigrationRow) -> tuple[str, ...]:
    at = f"{row.applied_at:%Y-%m-%d %H:%M:%S}" if row.applied_at else ""
    took = "" if row.duration_ms is None else str(row.duration_ms)
    return (str(row.version), row.name, row.state.value, at, row.applied_by, took, row.note)
