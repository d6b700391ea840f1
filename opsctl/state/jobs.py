"""Job runs: each scheduled time of a job is claimed once, whichever process asks."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from opsctl.errors import OpsctlError
from opsctl.state.columns import (
    dump_details,
    format_time,
    format_time_or_none,
    load_details,
    parse_time,
    parse_time_or_none,
)
from opsctl.state.model import JobRun, JobState

if TYPE_CHECKING:
    from opsctl.systems.sqlite.database import Database, Row


class Jobs:
    def __init__(self, database: "Database") -> None:
        self._database = database

    def claim(self, run: JobRun) -> bool:
        """Write the run down before it starts; False where that time was claimed already."""
        added = self._database.execute(
            "INSERT INTO job_runs (job, scheduled_utc, state, started_at, finished_at, exit_code,"
            " details) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (job, scheduled_utc) DO NOTHING",
            (
                run.job,
                format_time(run.scheduled_utc),
                run.state,
                format_time_or_none(run.started_at),
                format_time_or_none(run.finished_at),
                run.exit_code,
                dump_details(run.details),
            ),
        )
        return added == 1

    def finish(
        self,
        run: JobRun,
        *,
        at: datetime,
        state: JobState,
        exit_code: int | None = None,
    ) -> None:
        """Close a running run; one that was closed already stays as it is, and that is an error."""
        changed = self._database.execute(
            "UPDATE job_runs SET finished_at = ?, state = ?, exit_code = ?"
            " WHERE job = ? AND scheduled_utc = ? AND state = 'running'",
            (format_time(at), state, exit_code, run.job, format_time(run.scheduled_utc)),
        )
        if not changed:
            what = f"cannot finish the run of {run.job} at {run.scheduled_utc:%Y-%m-%d %H:%M:%S}"
            raise OpsctlError(what, why="it is not running")

    def running(self) -> Sequence[JobRun]:
        """List the runs that are not finished, oldest first; their process may be dead."""
        rows = self._database.query(
            "SELECT * FROM job_runs WHERE state = 'running' ORDER BY scheduled_utc, job"
        )
        return [_run(row) for row in rows]

    def history(self, job: str | None = None, *, limit: int = 20) -> Sequence[JobRun]:
        """List runs, newest first."""
        rows = self._database.query(
            "SELECT * FROM job_runs WHERE ?1 IS NULL OR job = ?1"
            " ORDER BY scheduled_utc DESC, job LIMIT ?2",
            (job, limit),
        )
        return [_run(row) for row in rows]


def _run(row: "Row") -> JobRun:
    return JobRun(
        job=row["job"],
        scheduled_utc=parse_time(row["scheduled_utc"]),
        state=JobState(row["state"]),
        started_at=parse_time_or_none(row["started_at"]),
        finished_at=parse_time_or_none(row["finished_at"]),
        exit_code=row["exit_code"],
        details=load_details(row["details"]),
    )
