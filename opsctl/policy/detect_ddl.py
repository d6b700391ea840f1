"""Knows statements that change a schema when it sees one, in SQL and in strings of Python."""

import re

_MODIFIERS = (
    "or|replace|temp|temporary|unlogged|unique|materialized|global|local|virtual|foreign"
    "|recursive|event|concurrently"
)
_STRONG = "table|index|view|schema|sequence|extension|database|trigger|tablespace|macro"
_OBJECTS = (
    f"{_STRONG}|type|function|procedure|domain|role|user|policy|rule|aggregate|cast|collation"
    "|publication|subscription|server|statistics|operator|language|system|text search"
)
_START = (
    r"(?:\A|;|\$\w*\$|\b(?i:BEGIN|EXECUTE|THEN)\b)\s*(?:(?:--[^\n]*(?:\n|\Z)|/\*.*?\*/|'|\()\s*)*"
)
# As people write SQL: in capitals, whatever it is.
_LOUD = re.compile(
    rf"{_START}(?P<ddl>(?:CREATE|ALTER|DROP)\s+(?:(?:{_MODIFIERS.upper()})\s+)*"
    rf"(?:{_OBJECTS.upper()})\b)(?=\s+\S)",
    re.DOTALL,
)
# In small letters it may be prose: only with what follows in SQL.
_QUIET = re.compile(
    rf"{_START}(?P<ddl>(?:create|alter|drop)\s+(?:(?:{_MODIFIERS})\s+)*(?:{_STRONG})\b)\s+"
    r"(?:(?:if|not|exists|concurrently|only)\s+)*[\w\"'.{}\[\]`$%?:]+\s*"
    r"(?:\(|,|;|\Z|as\b|on\b|add\b|drop\b|alter\b|rename\b|set\b|using\b|owner\b|enable\b|disable\b"
    r"|cascade\b|restrict\b|attach\b|detach\b|with\b|start\b|increment\b|before\b|after\b)",
    re.DOTALL | re.IGNORECASE,
)
# TimescaleDB changes the schema by calls.
_CALLS = re.compile(
    rf"{_START}(?:SELECT|CALL|PERFORM)\s+(?:\w+\.)?(?P<ddl>create_(?:distributed_)?hypertable"
    r"|add_\w+_policy|remove_\w+_policy|set_chunk_time_interval|add_dimension)\s*\(",
    re.DOTALL | re.IGNORECASE,
)
_HEADS = ("create", "alter", "drop", "_policy", "set_chunk", "add_dimension")


def detect_ddl(text: str) -> str:
    """Say which statement changes the schema, such as `CREATE TABLE`; empty where none does."""
    lowered = text.lower()
    if not any(head in lowered for head in _HEADS):
        return ""
    for pattern in (_LOUD, _QUIET, _CALLS):
        if match := pattern.search(text):
            matched = " ".join(match["ddl"].split())
            return matched if pattern is _CALLS else matched.upper()
    return ""


_VERB = re.compile(r"\b(?:create|alter|drop)\b")
_AFTER = re.compile(rf"[\s\\n]+(?:(?:{_MODIFIERS})\s+)*(?:{_OBJECTS})\b|[\s\w]{{0,40}}[\"'{{%]")
# A word cut in two: "CRE" + "ATE TABLE".
_CUT = re.compile(rf"[\"'](?:[a-z]{{1,5}})[ ](?:(?:{_MODIFIERS})\s+)*(?:{_STRONG})\b")
_CALLED = (
    ".create_all(",
    ".drop_all(",
    "create_hypertable",
    "_policy(",
    "set_chunk_time",
    ".to_sql(",
)
_ALEMBIC = ("from alembic", "import alembic")


def may_contain_ddl(lowered: str) -> bool:
    """Say whether a Python file is worth reading: quick, and wrong only by saying yes."""
    if any(word in lowered for word in (*_CALLED, *_ALEMBIC)):
        return True
    if any(verb in lowered for verb in ("create", "alter", "drop")) and any(
        _AFTER.match(lowered, match.end()) for match in _VERB.finditer(lowered)
    ):
        return True
    return any(word in lowered for word in ("table", "index", "view")) and bool(
        _CUT.search(lowered)
    )
