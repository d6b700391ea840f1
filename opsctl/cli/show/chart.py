"""A chart of figures over time, in characters."""

from collections.abc import Sequence
from datetime import datetime

from opsctl.disk.model import Point

ROWS, COLUMNS = 8, 64
EIGHTHS = " ▁▂▃▄▅▆▇█"


def draw_chart(points: Sequence[Point]) -> list[str]:
    """Draw percent over time, from 0 to 100; a column without a figure stays empty."""
    first, last = points[0].at, points[-1].at
    levels = _columns(points, first, last)
    lines = [_row(levels, row) for row in range(ROWS - 1, -1, -1)]
    left, right = f"{first:%m-%d %H:%M}", f"{last:%m-%d %H:%M}"
    return [*lines, " " * 7 + left + " " * (COLUMNS - len(left) - len(right)) + right]


def _columns(points: Sequence[Point], first: datetime, last: datetime) -> list[float | None]:
    span = (last - first).total_seconds() or 1.0
    levels: list[float | None] = [None] * COLUMNS
    for point in points:
        column = round((point.at - first).total_seconds() / span * (COLUMNS - 1))
        levels[column] = max(point.percent, levels[column] or 0.0)
    return levels


def _row(levels: Sequence[float | None], row: int) -> str:
    share = 100 / ROWS
    mark = f"{share * (row + 1):5.0f} |" if row % 2 else "      |"
    return (mark + "".join(_cell(level, row * share, share) for level in levels)).rstrip()


def _cell(level: float | None, floor: float, share: float) -> str:
    if level is None or level <= floor:
        return " "
    return EIGHTHS[min(8, max(1, round((level - floor) / share * 8)))]
