"""`opsctl migrate status`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import click

from opsctl.cli.click_classes import OpsctlCommand
from opsctl.cli.session import Session, pass_session
from opsctl.cli.show.text import Table
from opsctl.errors import EXIT_OK, EXIT_PENDING
from opsctl.migrate.model import Standing, State
from opsctl.migrate.project import look

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
