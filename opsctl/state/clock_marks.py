"""Clock marks: the last reading of a clock that was trusted."""

from typing import TYPE_CHECKING

from opsctl.state.columns import format_time, parse_time
from opsctl.state.model import ClockMark

if TYPE_CHECKING:
    from opsctl.systems.sqlite.database import Database


class ClockMarks:
    def __init__(self, database: "Database") -> None:
        self._database = database

    def find(self, name: str) -> ClockMark | None:
        rows = self._database.query("SELECT * FROM clock_marks WHERE name = ?", (name,))
        return (
            ClockMark(parse_time(rows[0]["wall"]), rows[0]["steady_s"], rows[0]["boot"])
            if rows
            else None
        )

    def save(self, name: str, mark: ClockMark) -> None:
        self._database.execute(
            "INSERT INTO clock_marks (name, wall, steady_s, boot) VALUES (?1, ?2, ?3, ?4)"
            " ON CONFLICT (name) DO UPDATE SET wall = ?2, steady_s = ?3, boot = ?4",
            (name, format_time(mark.wall), mark.steady_s, mark.boot),
        )
