"""Releases: what was deployed when, and an append-only log of their steps."""

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
from opsctl.state.model import Details, Release, ReleaseStep

if TYPE_CHECKING:
    from opsctl.systems.sqlite.database import Database, Row


class Releases:
    def __init__(self, database: "Database") -> None:
        self._database = database

    def begin(self, release: Release) -> None:
        self._database.execute(
            "INSERT INTO releases (id, env, started_at, finished_at, git_sha, git_subject, who,"
            " outcome, details) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                release.id,
                release.env,
                format_time(release.started_at),
                format_time_or_none(release.finished_at),
                release.git_sha,
                release.git_subject,
                release.who,
                release.outcome,
                dump_details(release.details),
            ),
        )

    def finish(self, release_id: str, *, at: datetime, outcome: str, details: Details) -> None:
        """Close a release; its details are replaced by these."""
        changed = self._database.execute(
            "UPDATE releases SET finished_at = ?, outcome = ?, details = ? WHERE id = ?",
            (format_time(at), outcome, dump_details(details), release_id),
        )
        if not changed:
            raise OpsctlError(f"cannot finish release {release_id}", why="it was never started")

    def record_step(self, step: ReleaseStep) -> None:
        self._database.execute(
            "INSERT INTO release_steps (release_id, at, step, event, details)"
            " VALUES (?, ?, ?, ?, ?)",
            (
                step.release_id,
                format_time(step.at),
                step.step,
                step.event,
                dump_details(step.details),
            ),
        )

    def find(self, release_id: str) -> Release | None:
        rows = self._database.query("SELECT * FROM releases WHERE id = ?", (release_id,))
        return _release(rows[0]) if rows else None

    def recent(
        self, *, env: str | None = None, outcome: str | None = None, limit: int = 20
    ) -> Sequence[Release]:
        """List them, newest first: in the order in which they were begun, not by the clock."""
        rows = self._database.query(
            "SELECT * FROM releases WHERE (?1 IS NULL OR env = ?1)"
            " AND (?2 IS NULL OR outcome = ?2) ORDER BY number DESC LIMIT ?3",
            (env, outcome, limit),
        )
        return [_release(row) for row in rows]

    def steps(self, release_id: str) -> Sequence[ReleaseStep]:
        """List them as they happened."""
        rows = self._database.query(
            "SELECT * FROM release_steps WHERE release_id = ? ORDER BY number", (release_id,)
        )
        return [_step(row) for row in rows]


def _release(row: "Row") -> Release:
    return Release(
        id=row["id"],
        env=row["env"],
        started_at=parse_time(row["started_at"]),
        finished_at=parse_time_or_none(row["finished_at"]),
        git_sha=row["git_sha"],
        git_subject=row["git_subject"],
        who=row["who"],
        outcome=row["outcome"],
        details=load_details(row["details"]),
        number=row["number"],
    )


def _step(row: "Row") -> ReleaseStep:
    return ReleaseStep(
        release_id=row["release_id"],
        at=parse_time(row["at"]),
        step=row["step"],
        event=row["event"],
        details=load_details(row["details"]),
    )
