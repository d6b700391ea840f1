"""Alerts: one row per problem, so that each is reported once, and its end as well."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from opsctl.state.columns import format_time, parse_time
from opsctl.state.model import Alert

if TYPE_CHECKING:
    from opsctl.systems.sqlite.database import Database, Row


class Alerts:
    def __init__(self, database: "Database") -> None:
        self._database = database

    def raise_alert(self, key: str, *, severity: str, summary: str, at: datetime) -> Alert:
        """Record a problem; `count` is 1 when it is new, or new again after it was cleared."""
        (row,) = self._database.query(
            "INSERT INTO alerts (key, severity, state, first_seen, last_seen, count, summary)"
            " VALUES (?1, ?2, 'raised', ?3, ?3, 1, ?4)"
            " ON CONFLICT (key) DO UPDATE SET severity = ?2, last_seen = ?3, summary = ?4,"
            " first_seen = CASE state WHEN 'raised' THEN first_seen ELSE ?3 END,"
            " count = CASE state WHEN 'raised' THEN count + 1 ELSE 1 END,"
            " state = 'raised' RETURNING *",
            (key, severity, format_time(at), summary),
        )
        return _alert(row)

    def clear(self, key: str, *, at: datetime) -> Alert | None:
        """Record its end; None if nothing was raised."""
        rows = self._database.query(
            "UPDATE alerts SET state = 'cleared', last_seen = ?2"
            " WHERE key = ?1 AND state = 'raised' RETURNING *",
            (key, format_time(at)),
        )
        return _alert(rows[0]) if rows else None

    def find(self, key: str) -> Alert | None:
        rows = self._database.query("SELECT * FROM alerts WHERE key = ?", (key,))
        return _alert(rows[0]) if rows else None

    def raised(self) -> Sequence[Alert]:
        """List the problems that are not cleared, oldest first."""
        rows = self._database.query(
            "SELECT * FROM alerts WHERE state = 'raised' ORDER BY first_seen, key"
        )
        return [_alert(row) for row in rows]


def _alert(row: "Row") -> Alert:
    return Alert(
        key=row["key"],
        severity=row["severity"],
        raised=row["state"] == "raised",
        first_seen=parse_time(row["first_seen"]),
        last_seen=parse_time(row["last_seen"]),
        count=row["count"],
        summary=row["summary"],
    )
