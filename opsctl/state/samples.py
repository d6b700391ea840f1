"""Samples: figures over time, one series per name."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from opsctl.state.columns import format_time, parse_time
from opsctl.state.model import Sample

if TYPE_CHECKING:
    from opsctl.systems.sqlite.database import Database

# Up to this age, one figure in so many seconds: about 1,350 per series, however long it runs.
THINNING = (
    (timedelta(days=2), 300),
    (timedelta(days=16), 3600),
    (timedelta(days=400), 86400),
)


class Samples:
    def __init__(self, database: "Database") -> None:
        self._database = database

    def record(self, sample: Sample) -> None:
        """Add a figure; a second one for the same moment replaces the first."""
        self._database.execute(
            "INSERT INTO samples (series, at, value) VALUES (?, ?, ?)"
            " ON CONFLICT (series, at) DO UPDATE SET value = excluded.value",
            (sample.series, format_time(sample.at), sample.value),
        )

    def since(self, series: str, start: datetime) -> Sequence[Sample]:
        """List a series from a time on, oldest first."""
        rows = self._database.query(
            "SELECT * FROM samples WHERE series = ? AND at >= ? ORDER BY at",
            (series, format_time(start)),
        )
        return [Sample(row["series"], parse_time(row["at"]), row["value"]) for row in rows]

    def series(self, prefix: str) -> Sequence[str]:
        """List the names that start with a prefix."""
        rows = self._database.query(
            "SELECT DISTINCT series FROM samples WHERE substr(series, 1, ?) = ? ORDER BY series",
            (len(prefix), prefix),
        )
        return [row["series"] for row in rows]

    def thin(self, series: str, *, now: datetime) -> int:
        """Keep one figure per step (older figures have wider steps), and none past the last age."""
        thinned, newer = 0, format_time(now)
        for age, step_s in THINNING:
            older = format_time(now - age)
            thinned += self._database.execute(
                "DELETE FROM samples WHERE series = ?1 AND at <= ?2 AND at > ?3 AND at NOT IN"
                " (SELECT min(at) FROM samples WHERE series = ?1 AND at <= ?2 AND at > ?3"
                " GROUP BY CAST(strftime('%s', at) AS INTEGER) / ?4)",
                (series, newer, older, step_s),
            )
            newer = older
        return thinned + self._database.execute(
            "DELETE FROM samples WHERE series = ? AND at <= ?", (series, newer)
        )
