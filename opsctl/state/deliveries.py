"""Deliveries: the queue of messages per channel, and what the readers of a key know."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import TYPE_CHECKING, Any

from opsctl.state.columns import (
    dump_details,
    format_time,
    load_details,
    parse_time,
    parse_time_or_none,
)
from opsctl.state.model import Delivery, Details

if TYPE_CHECKING:
    from opsctl.systems.sqlite.database import Database, Row


class Deliveries:
    def __init__(self, database: "Database") -> None:
        self._database = database

    def transaction(self) -> AbstractContextManager[None]:
        return self._database.transaction()

    def memory(self, key: str) -> dict[str, Any] | None:
        rows = self._database.query("SELECT memory FROM notices WHERE key = ?", (key,))
        return load_details(rows[0]["memory"]) if rows else None

    def remember(self, key: str, memory: Details, *, at: datetime) -> None:
        self._database.execute(
            "INSERT INTO notices (key, changed_at, memory) VALUES (?1, ?2, ?3)"
            " ON CONFLICT (key) DO UPDATE SET changed_at = ?2, memory = ?3",
            (key, format_time(at), dump_details(memory)),
        )

    def put(
        self, channel: str, message: Details, *, key: str, at: datetime, due_at: datetime
    ) -> None:
        self._database.execute(
            "INSERT INTO deliveries (channel, key, made_at, due_at, message, status)"
            " VALUES (?, ?, ?, ?, ?, 'waiting')",
            (channel, key, format_time(at), format_time(due_at), dump_details(message)),
        )

    def withdraw(self, key: str, *, at: datetime) -> int:
        """Withdraw messages that are not due yet; those that are due are still sent."""
        return self._database.execute(
            "UPDATE deliveries SET status = 'withdrawn', ended_at = ?2"
            " WHERE key = ?1 AND status = 'waiting' AND due_at > ?2",
            (key, format_time(at)),
        )

    def next_bundle(self, channel: str, *, now: datetime, limit: int) -> Sequence[Delivery]:
        """Return the next messages to send: those claimed and perhaps sent, else the oldest due."""
        begun = self._database.query(
            "SELECT * FROM deliveries WHERE status = 'sending' AND channel = ?1 AND bundle ="
            " (SELECT bundle FROM deliveries WHERE status = 'sending' AND channel = ?1"
            " ORDER BY number LIMIT 1) ORDER BY number",
            (channel,),
        )
        rows = begun or self._database.query(
            "SELECT * FROM deliveries WHERE status = 'waiting' AND channel = ? AND due_at <= ?"
            " ORDER BY number LIMIT ?",
            (channel, format_time(now), limit),
        )
        return [_delivery(row) for row in rows]

    def claim(self, channel: str, bundle: str, numbers: Sequence[int]) -> None:
        """Record which messages are sent as one, so that a retry sends the same message."""
        with self._database.transaction():
            for number in numbers:
                self._database.execute(
                    "UPDATE deliveries SET status = 'sending', bundle = ?, attempts = attempts + 1"
                    " WHERE number = ? AND channel = ? AND status IN ('waiting', 'sending')",
                    (bundle, number, channel),
                )

    def sent(self, channel: str, bundle: str, *, at: datetime) -> None:
        with self._database.transaction():
            self._end(channel, bundle, status="sent", at=at)
            self._database.execute("DELETE FROM channels WHERE name = ?", (channel,))

    def set_aside(self, channel: str, bundle: str, *, at: datetime, trouble: str) -> None:
        """Take a message out of the queue that the channel refuses permanently."""
        with self._database.transaction():
            self._end(channel, bundle, status="refused", at=at, trouble=trouble)
            self._database.execute("DELETE FROM channels WHERE name = ?", (channel,))

    def _end(
        self, channel: str, bundle: str, *, status: str, at: datetime, trouble: str | None = None
    ) -> None:
        self._database.execute(
            "UPDATE deliveries SET status = ?, ended_at = ?, problem = coalesce(?, problem)"
            " WHERE bundle = ? AND channel = ? AND status = 'sending'",
            (status, format_time(at), trouble, bundle, channel),
        )

    def rest(
        self, channel: str, bundle: str, *, failures: int, until: datetime, trouble: str
    ) -> None:
        """Pause a channel; its messages stay queued."""
        with self._database.transaction():
            self._database.execute(
                "UPDATE deliveries SET problem = ? WHERE bundle = ? AND channel = ?",
                (trouble, bundle, channel),
            )
            self._database.execute(
                "INSERT INTO channels (name, failures, next_try_at, problem)"
                " VALUES (?1, ?2, ?3, ?4) ON CONFLICT (name) DO UPDATE"
                " SET failures = ?2, next_try_at = ?3, problem = ?4",
                (channel, failures, format_time(until), trouble),
            )

    def failures(self, channel: str) -> int:
        rows = self._database.query("SELECT failures FROM channels WHERE name = ?", (channel,))
        return rows[0]["failures"] if rows else 0

    def rests_until(self, channel: str) -> datetime | None:
        rows = self._database.query("SELECT next_try_at FROM channels WHERE name = ?", (channel,))
        return parse_time(rows[0]["next_try_at"]) if rows else None

    def pending(self) -> Sequence[Delivery]:
        """List the messages that wait, oldest first."""
        rows = self._database.query(
            "SELECT * FROM deliveries WHERE status IN ('waiting', 'sending') ORDER BY number"
        )
        return [_delivery(row) for row in rows]

    def ended(self, *, limit: int) -> Sequence[Delivery]:
        """List the messages that were sent, set aside or withdrawn, newest first."""
        rows = self._database.query(
            "SELECT * FROM deliveries WHERE status NOT IN ('waiting', 'sending')"
            " ORDER BY ended_at DESC, number DESC LIMIT ?",
            (limit,),
        )
        return [_delivery(row) for row in rows]

    def forget(self, *, before: datetime) -> None:
        """Delete messages that ended before a time; waiting ones are never deleted."""
        self._database.execute("DELETE FROM deliveries WHERE ended_at < ?", (format_time(before),))


def _delivery(row: "Row") -> Delivery:
    return Delivery(
        number=row["number"],
        channel=row["channel"],
        key=row["key"],
        made_at=parse_time(row["made_at"]),
        due_at=parse_time(row["due_at"]),
        message=load_details(row["message"]),
        status=row["status"],
        bundle=row["bundle"],
        attempts=row["attempts"],
        ended_at=parse_time_or_none(row["ended_at"]),
        trouble=row["problem"],
    )
