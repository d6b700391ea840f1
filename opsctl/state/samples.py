"""Samples: figures over time, one series a name."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from opsctl.state.columns import moment, written
from opsctl.state.model import Sample

if TYPE_CHECKING:
    from opsctl.systems.sqlite import Database


class Samples:
    def __init__(self, database: "Database") -> None:
        self._database = database

    def record(self, sample: Sample) -> None:
        """Add a figure; a second one for the same moment replaces the first."""
        self._database.execute(
            "INSERT INTO samples (series, at, value) VALUES (?, ?, ?)"
            " ON CONFLICT (series, at) DO UPDATE SET value = excluded.value",
            (sample.series, written(sample.at), sample.value),
        )

    def since(self, series: str, start: datetime) -> Sequence[Sample]:
        """List a series from a moment on, oldest first."""
        rows = self._database.query(
            "SELECT * FROM samples WHERE series = ? AND at >= ? ORDER BY at",
            (series, written(start)),
        )
        return [Sample(row["series"], moment(row["at"]), row["value"]) for row in rows]
