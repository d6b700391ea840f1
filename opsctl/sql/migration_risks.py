"""Migration risks: statements that block a live table, fail on one with rows, or lose data."""

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from opsctl.sql.lexer import SqlStatement

_COMMENT_OR_STRING = re.compile(r"--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'", re.DOTALL)
_TABLE = r"(?P<table>(?:[\w\"]+\.)?[\w\"]+)"
_CREATED_TABLE = re.compile(
    rf"CREATE\s+(?:UNLOGGED\s+|TEMP\s+|TEMPORARY\s+|GLOBAL\s+"
    rf"|LOCAL\s+)*TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?{_TABLE}",
    re.IGNORECASE,
)
_ALTERED_TABLE = re.compile(
    rf"ALTER\s+TABLE\s+(?:IF\s+EXISTS\s+)?(?:ONLY\s+)?{_TABLE}(?P<rest>.*)",
    re.IGNORECASE | re.DOTALL,
)
_INDEX = re.compile(
    rf"CREATE\s+(?:UNIQUE\s+)?INDEX\s+(?!CONCURRENTLY).*?\bON\s+(?:ONLY\s+)?{_TABLE}",
    re.IGNORECASE | re.DOTALL,
)
_ADDED_COLUMN = re.compile(
    r"\bADD\s+(?:COLUMN\s+)?(?!CONSTRAINT\b|PRIMARY\b|FOREIGN\b|UNIQUE\b|CHECK\b)(?P<what>[^,]*)",
    re.IGNORECASE,
)
_LOCKING = (
    (
        r"\bALTER\s+(?:COLUMN\s+)?[\w\"]+\s+(?:SET\s+DATA\s+)?TYPE\b",
        "changing a column type may rewrite the whole table",
    ),
    (r"\bSET\s+NOT\s+NULL\b", "SET NOT NULL scans the whole table under an exclusive lock"),
    (
        r"\bADD\s+(?:CONSTRAINT\s+[\w\"]+\s+)?(?:CHECK|FOREIGN\s+KEY)\b(?!.{0,500}\bNOT\s+VALID\b)",
        "a constraint without NOT VALID checks every row under a lock",
    ),
    (
        r"\bADD\s+(?:CONSTRAINT\s+[\w\"]+\s+)?(?:PRIMARY\s+KEY|UNIQUE)\b(?!.{0,200}\bUSING\s+INDEX\b)",
        "a key without USING INDEX builds its index under an exclusive lock",
    ),
    (
        r"\bSET\s+(?:LOGGED|UNLOGGED|TABLESPACE|ACCESS\s+METHOD)\b",
        "this rewrites the whole table",
    ),
    (
        r"\bADD\s+COLUMN\b.{0,200}?\bDEFAULT\s+(?:random|gen_random_uuid"
        r"|uuid_generate_v4|clock_timestamp)\s*\(",
        "a volatile default rewrites the whole table",
    ),
)
_LOCKING_PATTERNS = tuple((re.compile(p, re.IGNORECASE | re.DOTALL), why) for p, why in _LOCKING)
_EXCLUSIVE_COMMANDS = {
    ("VACUUM", "FULL"): "VACUUM FULL locks the table until it is rewritten",
    ("CLUSTER",): "CLUSTER locks the table until it is rewritten",
    ("LOCK", "TABLE"): "LOCK TABLE blocks other sessions until the file ends",
    ("REINDEX", "TABLE"): "REINDEX without CONCURRENTLY blocks writes until it ends",
    ("REINDEX", "INDEX"): "REINDEX without CONCURRENTLY blocks writes until it ends",
    ("REFRESH", "MATERIALIZED", "VIEW"): "REFRESH without CONCURRENTLY blocks reads of the view",
}
_DESTRUCTIVE = (
    (
        r"\bDROP\s+(?:TABLE|SCHEMA|DATABASE|MATERIALIZED\s+VIEW)\b",
        "it drops data that no migration can restore",
    ),
    (
        r"\bDROP\s+(?:COLUMN\s+)(?:IF\s+EXISTS\s+)?[\w\"]+",
        "it drops a column that the previous release may still read",
    ),
    (r"\bTRUNCATE\b", "it empties a table"),
    (r"\A\s*DELETE\s+FROM\b(?!.*\bWHERE\b)", "DELETE without WHERE empties the table"),
    (r"\A\s*UPDATE\b(?!.*\bWHERE\b)", "UPDATE without WHERE rewrites every row"),
    (r"\bRENAME\s+(?:TO|COLUMN)\b", "the previous release does not know the new name"),
)
_DESTRUCTIVE_PATTERNS = tuple(
    (re.compile(p, re.IGNORECASE | re.DOTALL), why) for p, why in _DESTRUCTIVE
)


class RiskKind(StrEnum):
    NOT_NULL = "not-null"
    LOCK = "lock"
    INDEX_LOCK = "index-lock"
    DATA_LOSS = "data-loss"


class MigrationRisk(NamedTuple):
    kind: RiskKind
    why: str
    line: int


def find_risks(
    text: str, statements: "Sequence[SqlStatement]", kinds: Collection[RiskKind] = tuple(RiskKind)
) -> Iterator[MigrationRisk]:
    """Judge each statement of a file; tables that the file itself creates have no rows to lock."""
    bare = [
        _COMMENT_OR_STRING.sub(" ", text[statement.start.offset : statement.end]).strip()
        for statement in statements
    ]
    created = frozenset(
        match["table"].lower() for code in bare if (match := _CREATED_TABLE.match(code))
    )
    for statement, code in zip(statements, bare, strict=True):
        for kind in kinds:
            for why in _FINDERS[kind](code, created):
                yield MigrationRisk(kind, why, statement.start.line)


def _altered(code: str, created: frozenset[str]) -> str:
    """Return what an ALTER TABLE does, unless the file itself creates the table."""
    match = _ALTERED_TABLE.match(code)
    return match["rest"] if match and match["table"].lower() not in created else ""


def _not_null_without_default(code: str, created: frozenset[str]) -> Iterator[str]:
    for match in _ADDED_COLUMN.finditer(_altered(code, created)):
        definition = " ".join(match["what"].upper().split())
        has_value = "DEFAULT" in definition or "GENERATED" in definition
        if "NOT NULL" in definition and not has_value:
            yield f"new column {match['what'].split()[0]} is NOT NULL without a DEFAULT"


def _locking(code: str, created: frozenset[str]) -> Iterator[str]:
    rest = _altered(code, created)
    yield from (why for pattern, why in _LOCKING_PATTERNS if rest and pattern.search(rest))
    words = tuple(code.upper().split()[:4])
    for start, why in _EXCLUSIVE_COMMANDS.items():
        if words[: len(start)] == start and "CONCURRENTLY" not in words:
            yield why


def _blocking_index(code: str, created: frozenset[str]) -> Iterator[str]:
    match = _INDEX.match(code)
    if match and match["table"].lower() not in created:
        yield f"the index on {match['table']} is built without CONCURRENTLY"


def _losing_data(code: str, created: frozenset[str]) -> Iterator[str]:
    del created
    yield from (why for pattern, why in _DESTRUCTIVE_PATTERNS if pattern.search(code))


_FINDERS: Mapping[RiskKind, Callable[[str, frozenset[str]], Iterator[str]]] = {
    RiskKind.NOT_NULL: _not_null_without_default,
    RiskKind.LOCK: _locking,
    RiskKind.INDEX_LOCK: _blocking_index,
    RiskKind.DATA_LOSS: _losing_data,
}
