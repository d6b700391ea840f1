"""Knows which statements PostgreSQL runs alone only; the server has the last word."""

from collections.abc import Sequence

_ALWAYS = (
    ("VACUUM",),
    ("CREATE", "DATABASE"),
    ("DROP", "DATABASE"),
    ("CREATE", "TABLESPACE"),
    ("DROP", "TABLESPACE"),
    ("ALTER", "SYSTEM"),
    ("REINDEX", "DATABASE"),
    ("REINDEX", "SYSTEM"),
    ("REINDEX", "SCHEMA"),
)
_CONCURRENT = ({"CREATE", "INDEX"}, {"DROP", "INDEX"}, {"REINDEX"})


def why_not_in_transaction(words: Sequence[str]) -> str:
    """Say why a statement that begins with these words needs to run alone, or nothing."""
    for start in _ALWAYS:
        if tuple(words[: len(start)]) == start:
            return f"PostgreSQL runs {' '.join(start)} outside of a transaction only"
    head = words[:5]
    if "CONCURRENTLY" in head and any(kind <= set(head) for kind in _CONCURRENT):
        kind = " ".join(word for word in head[: head.index("CONCURRENTLY")] if word != "UNIQUE")
        return f"PostgreSQL runs {kind} CONCURRENTLY outside of a transaction only"
    return ""
