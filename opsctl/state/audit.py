"""The audit: who did what to which target; nothing in it is ever changed or removed."""

import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from opsctl.errors import InterruptedRunError, OpsctlError, RefusedError
from opsctl.state.columns import dump_details, format_time, load_details, parse_time
from opsctl.state.model import Action, AuditEntry, AuditOutcome, Details

if TYPE_CHECKING:
    from opsctl.systems.clock import Clock
    from opsctl.systems.sqlite.database import Database, Row


class Audit:
    def __init__(self, database: "Database") -> None:
        self._database = database

    @contextmanager
    def action(self, action: Action, *, clock: "Clock") -> Iterator[str]:
        """Record the intent, and how the block ends; after a kill only the intent is recorded."""
        entry = _intent(action, clock)
        self.record(entry)
        try:
            yield entry.action_id
        except BaseException as error:
            # The error itself must reach the user; an intent without outcome shows that it failed.
            with suppress(OpsctlError):
                self.record(_ended(entry, clock, outcome_of(error), details=_describe_error(error)))
            raise
        self.record(_ended(entry, clock, AuditOutcome.DONE))

    def record(self, entry: AuditEntry) -> None:
        self._database.execute(
            "INSERT INTO audit (action_id, at, who, sudo_user, pid, env, command, target,"
            " outcome, details) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                entry.action_id,
                format_time(entry.at),
                entry.who,
                entry.sudo_user,
                entry.pid,
                entry.env,
                entry.command,
                entry.target,
                entry.outcome,
                dump_details(entry.details),
            ),
        )

    def entries(self, *, env: str | None = None, limit: int = 100) -> Sequence[AuditEntry]:
        """List them, newest first."""
        rows = self._database.query(
            "SELECT * FROM audit WHERE ?1 IS NULL OR env = ?1 ORDER BY number DESC LIMIT ?2",
            (env, limit),
        )
        return [_entry(row) for row in rows]

    def unfinished(self, *, env: str | None = None) -> Sequence[AuditEntry]:
        """List intents without an outcome, newest first: still running, or killed."""
        rows = self._database.query(
            "SELECT * FROM audit AS intent WHERE outcome = 'started' AND (?1 IS NULL OR env = ?1)"
            " AND NOT EXISTS (SELECT 1 FROM audit WHERE action_id = intent.action_id"
            " AND outcome <> 'started') ORDER BY number DESC",
            (env,),
        )
        return [_entry(row) for row in rows]


def outcome_of(error: BaseException) -> AuditOutcome:
    if isinstance(error, RefusedError):
        return AuditOutcome.REFUSED
    if isinstance(error, InterruptedRunError | KeyboardInterrupt):
        return AuditOutcome.INTERRUPTED
    return AuditOutcome.FAILED


def _intent(action: Action, clock: "Clock") -> AuditEntry:
    return AuditEntry(
        action_id=uuid.uuid4().hex,
        at=clock.now(),
        who=action.actor.who,
        sudo_user=action.actor.sudo_user,
        pid=action.actor.pid,
        env=action.env,
        command=action.command,
        target=action.target,
        outcome=AuditOutcome.STARTED,
        details=action.details,
    )


def _ended(
    intent: AuditEntry, clock: "Clock", outcome: AuditOutcome, *, details: Details | None = None
) -> AuditEntry:
    return intent.replaced(at=clock.now(), outcome=outcome, details=details or {})


def _describe_error(error: BaseException) -> Details:
    # Only our own words: a foreign exception's text may quote a connection string.
    details: Details = {"error": type(error).__name__}
    return {**details, "what": error.what} if isinstance(error, OpsctlError) else details


def _entry(row: "Row") -> AuditEntry:
    return AuditEntry(
        action_id=row["action_id"],
        at=parse_time(row["at"]),
        who=row["who"],
        sudo_user=row["sudo_user"],
        pid=row["pid"],
        env=row["env"],
        command=row["command"],
        target=row["target"],
        outcome=AuditOutcome(row["outcome"]),
        details=load_details(row["details"]),
    )
