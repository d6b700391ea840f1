"""Values to PostgreSQL and back, as text."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from opsctl.systems.sql_scripts import Row, SqlValue

_PLACE = r"%\((\w+)\)s|%%"
_BOOL, _INT8, _UNKNOWN = 16, 20, 0
# By the numbers of the types, which never change; what is not here stays text.
_READERS: Mapping[int, Callable[[str], Any]] = {
    _BOOL: "t".__eq__,
    _INT8: int,
    21: int,
    23: int,
    26: int,
    700: float,
    701: float,
    1184: datetime.fromisoformat,
}


def bind(
    statement: str, values: Mapping[str, SqlValue]
) -> tuple[str, list[tuple[int, str | None]]]:
    """Turn `%(name)s` into `$1`, and each value into the number of its type and its text."""
    numbers = {name: number for number, name in enumerate(values, start=1)}

    def placed(place: re.Match[str]) -> str:
        return f"${numbers[place[1]]}" if place[1] else "%"

    text = re.sub(_PLACE, placed, statement)
    return text, [_written(value) for value in values.values()]


def read_row(kinds: Sequence[int], texts: Sequence[str | None]) -> Row:
    return tuple(
        None if text is None else _READERS.get(kind, str)(text)
        for kind, text in zip(kinds, texts, strict=True)
    )


def _written(value: SqlValue) -> tuple[int, str | None]:
    if isinstance(value, bool):
        return _BOOL, "t" if value else "f"
    if isinstance(value, int):
        return _INT8, str(value)
    return _UNKNOWN, value
