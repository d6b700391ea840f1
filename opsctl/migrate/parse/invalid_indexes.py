"""Finds the invalid index that an interrupted statement has left, and no other."""

import re
from collections.abc import Iterable
from typing import NamedTuple

_IDENTIFIER = re.compile(r'"(?P<quoted>(?:[^"]|"")+)"|(?P<plain>[\w$]+)')
_NAMELESS = re.compile(
    r"\bREINDEX\b|\bINDEX\s+CONCURRENTLY\s+(?:IF\s+NOT\s+EXISTS\s+)?ON\b", re.IGNORECASE
)


class InvalidIndex(NamedTuple):
    shown: str
    """Schema and name, quoted by the server."""
    name: str
    table: str


def match_invalid_indexes(statement: str, found: Iterable[InvalidIndex]) -> tuple[str, ...]:
    """Select those that the statement names, on the table that it names."""
    words = set(_names(statement))
    nameless = _NAMELESS.search(statement) is not None
    return tuple(
        index.shown
        for index in found
        if (index.table in words and (nameless or index.name in words)) or _reindexed(index, words)
    )


def _reindexed(index: InvalidIndex, words: set[str]) -> bool:
    """Tell whether REINDEX built it: it has the old name with a suffix."""
    base, tail, _ = index.name.partition("_ccnew")
    return bool(tail) and base in words


def _names(statement: str) -> Iterable[str]:
    for match in _IDENTIFIER.finditer(statement):
        quoted = match["quoted"]
        yield quoted.replace('""', '"') if quoted else match["plain"].lower()
