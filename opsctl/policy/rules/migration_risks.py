"""Rules: statements of migrations that stop a live table, fail on one with rows, or lose data."""

import re
from collections.abc import Callable, Iterator

from opsctl.policy.model import Hit, Rule, Severity, rule
from opsctl.policy.project import Project, Source, Statement

_NOISE = re.compile(r"--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'", re.DOTALL)
_TABLE = r"(?P<table>(?:[\w\"]+\.)?[\w\"]+)"
_MADE = re.compile(
    rf"CREATE\s+(?:UNLOGGED\s+|TEMP\s+|TEMPORARY\s+|GLOBAL\s+"
    rf"|LOCAL\s+)*TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?{_TABLE}",
    re.IGNORECASE,
)
_ALTERED = re.compile(
    rf"ALTER\s+TABLE\s+(?:IF\s+EXISTS\s+)?(?:ONLY\s+)?{_TABLE}(?P<rest>.*)",
    re.IGNORECASE | re.DOTALL,
)
_INDEXED = re.compile(
    rf"CREATE\s+(?:UNIQUE\s+)?INDEX\s+(?!CONCURRENTLY).*?\bON\s+(?:ONLY\s+)?{_TABLE}",
    re.IGNORECASE | re.DOTALL,
)
_ADDED = re.compile(
    r"\bADD\s+(?:COLUMN\s+)?(?!CONSTRAINT\b|PRIMARY\b|FOREIGN\b|UNIQUE\b|CHECK\b)(?P<what>[^,]*)",
    re.IGNORECASE,
)
_HEAVY = (
    (
        r"\bALTER\s+(?:COLUMN\s+)?[\w\"]+\s+(?:SET\s+DATA\s+)?TYPE\b",
        "changing a type writes the whole table anew",
    ),
    (r"\bSET\s+NOT\s+NULL\b", "SET NOT NULL reads the whole table under an exclusive lock"),
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
        "this writes the whole table anew",
    ),
    (
        r"\bADD\s+COLUMN\b.{0,200}?\bDEFAULT\s+(?:random|gen_random_uuid"
        r"|uuid_generate_v4|clock_timestamp)\s*\(",
        "a default that differs by row writes the whole table anew",
    ),
)
_HEAVY_PATTERNS = tuple((re.compile(p, re.IGNORECASE | re.DOTALL), says) for p, says in _HEAVY)
_WHOLE = {
    ("VACUUM", "FULL"): "VACUUM FULL locks the table until it is written anew",
    ("CLUSTER",): "CLUSTER locks the table until it is written anew",
    ("LOCK", "TABLE"): "LOCK TABLE holds everyone up until the file ends",
    ("REINDEX", "TABLE"): "REINDEX without CONCURRENTLY stops writes until it ends",
    ("REINDEX", "INDEX"): "REINDEX without CONCURRENTLY stops writes until it ends",
    ("REFRESH", "MATERIALIZED", "VIEW"): "without CONCURRENTLY nobody can read the view meanwhile",
}
_LOSES = (
    (
        r"\bDROP\s+(?:TABLE|SCHEMA|DATABASE|MATERIALIZED\s+VIEW)\b",
        "it drops data that no migration brings back",
    ),
    (
        r"\bDROP\s+(?:COLUMN\s+)(?:IF\s+EXISTS\s+)?[\w\"]+",
        "it drops a column that the release before may still read",
    ),
    (r"\bTRUNCATE\b", "it empties a table"),
    (r"\A\s*DELETE\s+FROM\b(?!.*\bWHERE\b)", "DELETE without WHERE empties the table"),
    (r"\A\s*UPDATE\b(?!.*\bWHERE\b)", "UPDATE without WHERE writes every row"),
    (r"\bRENAME\s+(?:TO|COLUMN)\b", "after a renaming the release before no longer works"),
)
_LOSES_PATTERNS = tuple((re.compile(p, re.IGNORECASE | re.DOTALL), says) for p, says in _LOSES)


def _each(project: Project) -> Iterator[tuple[Source, Statement, str, frozenset[str]]]:
    """Give each statement's text without comments and quotes, and the tables its file makes."""
    for source, script in project.scripts:
        if source.name.endswith(".down.sql"):
            continue
        bare = [_NOISE.sub(" ", source.text[s.start.offset : s.end]) for s in script.statements]
        made = frozenset(m["table"].lower() for text in bare if (m := _MADE.match(text.strip())))
        for statement, text in zip(script.statements, bare, strict=True):
            yield source, statement, text.strip(), made


def _altered(text: str, made: frozenset[str]) -> str:
    """Give what an ALTER TABLE does, unless the table is new in this very file."""
    found = _ALTERED.match(text)
    return found["rest"] if found and found["table"].lower() not in made else ""


def _told(project: Project, judge: Callable[[str, frozenset[str]], Iterator[str]]) -> Iterator[Hit]:
    for source, statement, text, made in _each(project):
        for what in judge(text, made):
            yield Hit(what, source.path, statement.start.line)


@rule(
    "migration-not-null",
    Severity.WARNING,
    reason="A new column that is NOT NULL and has no default fails on a table with rows.",
    fix="Give it a DEFAULT; or add it nullable, fill it, then set NOT NULL.",
)
def not_null(project: Project) -> Iterator[Hit]:
    yield from _told(project, _without_default)


def _without_default(text: str, made: frozenset[str]) -> Iterator[str]:
    for match in _ADDED.finditer(_altered(text, made)):
        said = " ".join(match["what"].upper().split())
        if "NOT NULL" in said and "DEFAULT" not in said and "GENERATED" not in said:
            yield f"new column {match['what'].split()[0]} is NOT NULL without a DEFAULT"


@rule(
    "migration-lock",
    Severity.ADVICE,
    reason="While it runs nobody reads or writes the table; ticks pile up behind it.",
    fix="On a big table do it in steps: NOT VALID then VALIDATE, a new column then a switch.",
)
def lock(project: Project) -> Iterator[Hit]:
    yield from _told(project, _heavy)


def _heavy(text: str, made: frozenset[str]) -> Iterator[str]:
    rest = _altered(text, made)
    yield from (says for pattern, says in _HEAVY_PATTERNS if rest and pattern.search(rest))
    words = tuple(text.upper().split()[:4])
    for start, says in _WHOLE.items():
        if words[: len(start)] == start and "CONCURRENTLY" not in words:
            yield says


@rule(
    "migration-index-lock",
    Severity.ADVICE,
    reason="Without CONCURRENTLY, writes to the table stop until the index is built.",
    fix="On a big table: CREATE INDEX CONCURRENTLY alone in a file that begins "
    "with `-- opsctl: no-transaction`.",
)
def index_lock(project: Project) -> Iterator[Hit]:
    yield from _told(project, _blocking_index)


def _blocking_index(text: str, made: frozenset[str]) -> Iterator[str]:
    found = _INDEXED.match(text)
    if found and found["table"].lower() not in made:
        yield f"the index on {found['table']} is built without CONCURRENTLY"


@rule(
    "migration-loses-data",
    Severity.ADVICE,
    reason="A rollback puts the program back, not the data; the release before still runs on it.",
    fix="Expand first, contract one release later; keep a dump.",
)
def loses_data(project: Project) -> Iterator[Hit]:
    yield from _told(project, _losing)


def _losing(text: str, made: frozenset[str]) -> Iterator[str]:
    del made
    yield from (says for pattern, says in _LOSES_PATTERNS if pattern.search(text))


RULES: tuple[Rule[Project], ...] = (not_null, lock, index_lock, loses_data)
