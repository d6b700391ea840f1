"""Which statements PostgreSQL refuses inside a transaction, as far as their words tell."""

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
    """Explain why a statement that begins with these words cannot run in a transaction."""
    for start in _ALWAYS:
        if tuple(words[: len(start)]) == start:
            return f"PostgreSQL runs {' '.join(start)} only outside a transaction"
    head = words[:5]
    if "CONCURRENTLY" in head and any(kind <= set(head) for kind in _CONCURRENT):
        kind = " ".join(word for word in head[: head.index("CONCURRENTLY")] if word != "UNIQUE")
        return f"PostgreSQL runs {kind} CONCURRENTLY only outside a transaction"
    return ""
