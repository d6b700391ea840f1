"""Which locks a PostgreSQL statement takes on which tables, judged by its text."""

import functools
import re
from collections.abc import Sequence
from typing import NamedTuple

ACCESS_EXCLUSIVE = "ACCESS EXCLUSIVE"
SHARE_UPDATE_EXCLUSIVE = "SHARE UPDATE EXCLUSIVE"
SHARE_ROW_EXCLUSIVE = "SHARE ROW EXCLUSIVE"
SHARE = "SHARE"
ROW_EXCLUSIVE = "ROW EXCLUSIVE"

BLOCKS = {
    ACCESS_EXCLUSIVE: "blocks reads and writes",
    SHARE_ROW_EXCLUSIVE: "blocks writes",
    SHARE: "blocks writes",
    SHARE_UPDATE_EXCLUSIVE: "blocks neither reads nor writes",
    ROW_EXCLUSIVE: "blocks neither reads nor writes",
}

_PART = r'(?:"(?:[^"]|"")+"|[\w$\x80-\U0010ffff]+)'
_TABLE = rf"(?P<table>{_PART}(?:\s*\.\s*{_PART})?)"
# Possessive, so that a gap is not split in every possible way.
_GAP = r"(?:(?:\s|--[^\n]*+\n|/\*(?:[^*]|\*(?!/))*+\*/)++)"
_ONLY = rf"(?:IF{_GAP}EXISTS{_GAP})?(?:ONLY{_GAP})?"


class TableLock(NamedTuple):
    table: str
    mode: str


def _rule(pattern: str, mode: str) -> tuple[re.Pattern[str], str]:
    words = pattern.replace(" ", _GAP).replace("TABLE_NAME", _TABLE).replace("ONLY?", _ONLY)
    return re.compile(words, re.IGNORECASE | re.DOTALL), mode


# The first match counts; the forms of ALTER TABLE with weaker locks come first.
_PATTERNS = (
    (
        r"ALTER TABLE ONLY?TABLE_NAME (?:VALIDATE CONSTRAINT|SET STATISTICS|CLUSTER ON"
        r"|SET WITHOUT CLUSTER|ATTACH PARTITION|ALTER (?:COLUMN )?\S+ SET STATISTICS)",
        SHARE_UPDATE_EXCLUSIVE,
    ),
    (
        r"ALTER TABLE ONLY?TABLE_NAME (?:ADD (?:CONSTRAINT \S+ )?FOREIGN KEY"
        r"|(?:ENABLE|DISABLE) TRIGGER)",
        SHARE_ROW_EXCLUSIVE,
    ),
    (r"ALTER TABLE ONLY?TABLE_NAME", ACCESS_EXCLUSIVE),
    (r"DROP (?:TABLE|MATERIALIZED VIEW|VIEW) ONLY?TABLE_NAME", ACCESS_EXCLUSIVE),
    (r"TRUNCATE (?:TABLE )?(?:ONLY )?TABLE_NAME", ACCESS_EXCLUSIVE),
    (r"LOCK (?:TABLE )?(?:ONLY )?TABLE_NAME", ACCESS_EXCLUSIVE),
    (r"CLUSTER (?:VERBOSE )?TABLE_NAME", ACCESS_EXCLUSIVE),
    (r"VACUUM (?:\([^)]*\) ?)?FULL (?:ANALYZE )?TABLE_NAME", ACCESS_EXCLUSIVE),
    (r"VACUUM (?:ANALYZE )?TABLE_NAME", SHARE_UPDATE_EXCLUSIVE),
    (r"REINDEX TABLE CONCURRENTLY TABLE_NAME", SHARE_UPDATE_EXCLUSIVE),
    (r"REINDEX TABLE TABLE_NAME", SHARE),
    (
        r"CREATE (?:UNIQUE )?INDEX CONCURRENTLY .*?\bON (?:ONLY )?TABLE_NAME",
        SHARE_UPDATE_EXCLUSIVE,
    ),
    (r"CREATE (?:UNIQUE )?INDEX .*?\bON (?:ONLY )?TABLE_NAME", SHARE),
    (
        r"CREATE (?:OR REPLACE )?(?:CONSTRAINT )?TRIGGER .*?\bON TABLE_NAME",
        SHARE_ROW_EXCLUSIVE,
    ),
    (r"CREATE POLICY .*?\bON TABLE_NAME", ACCESS_EXCLUSIVE),
    (r"REFRESH MATERIALIZED VIEW CONCURRENTLY TABLE_NAME", "EXCLUSIVE"),
    (r"REFRESH MATERIALIZED VIEW TABLE_NAME", ACCESS_EXCLUSIVE),
    (r"(?:INSERT INTO|DELETE FROM|UPDATE) (?:ONLY )?TABLE_NAME", ROW_EXCLUSIVE),
    (r"MERGE INTO (?:ONLY )?TABLE_NAME", ROW_EXCLUSIVE),
    (r"COPY TABLE_NAME\b.*?\bFROM\b", ROW_EXCLUSIVE),
    (r"COMMENT ON TABLE TABLE_NAME", SHARE_UPDATE_EXCLUSIVE),
    (r"SELECT create_hypertable\(\s*'(?P<table>[^']+)'", ACCESS_EXCLUSIVE),
    (r"ANALYZE TABLE_NAME", SHARE_UPDATE_EXCLUSIVE),
)


@functools.cache
def _rules() -> Sequence[tuple[re.Pattern[str], str]]:
    """Compile on first use: it takes longer than a run with nothing to do."""
    return [_rule(pattern, mode) for pattern, mode in _PATTERNS]


_REFERENCES = re.compile(rf"\bREFERENCES{_GAP}{_TABLE}", re.IGNORECASE)


def find_locks(statement: str) -> Sequence[TableLock]:
    """List the locks of a statement; none if it only reads or creates new objects."""
    found = [TableLock(match["table"], mode) for match, mode in _first(statement)]
    if re.match(r"\s*(?:CREATE|ALTER)\s+TABLE", statement, re.IGNORECASE):
        tables = {match["table"] for match in _REFERENCES.finditer(statement)}
        found += [TableLock(table, SHARE_ROW_EXCLUSIVE) for table in sorted(tables)]
    return found


def _first(statement: str) -> list[tuple[re.Match[str], str]]:
    for pattern, mode in _rules():
        match = pattern.match(statement)
        if match:
            return [(match, mode)]
    return []
