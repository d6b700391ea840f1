"""The state of each guarded service, and its events."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from opsctl.state.columns import dump_details, format_time, load_details, parse_time
from opsctl.state.model import Guarded, GuardEvent

if TYPE_CHECKING:
    from opsctl.systems.sqlite.database import Database, Row


class Watchdog:
    def __init__(self, database: "Database") -> None:
        self._database = database

    def save(self, guarded: Guarded) -> None:
        self._database.execute(
            "INSERT INTO watchdog (service, state, since, details) VALUES (?1, ?2, ?3, ?4)"
            " ON CONFLICT (service) DO UPDATE SET state = ?2, since = ?3, details = ?4",
            (
                guarded.service,
                guarded.state,
                format_time(guarded.since),
                dump_details(guarded.details),
            ),
        )

    def find(self, service: str) -> Guarded | None:
        rows = self._database.query("SELECT * FROM watchdog WHERE service = ?", (service,))
        return _guarded(rows[0]) if rows else None

    def all(self) -> Sequence[Guarded]:
        rows = self._database.query("SELECT * FROM watchdog ORDER BY service")
        return [_guarded(row) for row in rows]

    def record(self, event: GuardEvent) -> None:
        self._database.execute(
            "INSERT INTO watchdog_events (service, at, event, details) VALUES (?, ?, ?, ?)",
            (event.service, format_time(event.at), event.event, dump_details(event.details)),
        )

    def events(self, service: str, *, limit: int = 100) -> Sequence[GuardEvent]:
        """List them, newest first."""
        rows = self._database.query(
            "SELECT * FROM watchdog_events WHERE service = ? ORDER BY number DESC LIMIT ?",
            (service, limit),
        )
        return [_event(row) for row in rows]


def _guarded(row: "Row") -> Guarded:
    return Guarded(
        row["service"], row["state"], parse_time(row["since"]), load_details(row["details"])
    )


def _event(row: "Row") -> GuardEvent:
    return GuardEvent(
        row["service"], parse_time(row["at"]), row["event"], load_details(row["details"])
    )
