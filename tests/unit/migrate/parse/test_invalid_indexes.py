"""Which invalid index belongs to which statement."""

import pytest

from opsctl.migrate.parse.invalid_indexes import InvalidIndex, match_invalid_indexes

ON_A = InvalidIndex("public.i", "i", "a")
MIXED = InvalidIndex('public."I x"', "I x", "a")
AUTOMATIC = InvalidIndex("public.a_b_idx", "a_b_idx", "a")
REPLACEMENT = InvalidIndex("public.i_ccnew", "i_ccnew", "a")


@pytest.mark.parametrize(
    ("statement", "index"),
    [
        ("CREATE INDEX CONCURRENTLY I ON A (b)", ON_A),
        ("create index concurrently if not exists i on public.a (b)", ON_A),
        ('CREATE INDEX CONCURRENTLY "I x" ON a (b)', MIXED),
        ("CREATE INDEX CONCURRENTLY ON a (b)", AUTOMATIC),
        ("REINDEX INDEX CONCURRENTLY i", REPLACEMENT),
        ("REINDEX TABLE CONCURRENTLY a", REPLACEMENT),
    ],
)
def test_an_index_of_the_statement_is_matched(statement: str, index: InvalidIndex) -> None:
    assert match_invalid_indexes(statement, [InvalidIndex("s.z", "z", "z"), index]) == (
        index.shown,
    )


@pytest.mark.parametrize(
    ("statement", "index"),
    [
        ("CREATE INDEX CONCURRENTLY other ON a (b)", ON_A),
        ("CREATE INDEX CONCURRENTLY i ON other (b)", ON_A),
        ("CREATE INDEX CONCURRENTLY long_i ON a (b)", ON_A),
        ("VACUUM a", ON_A),
        ("REINDEX TABLE CONCURRENTLY other", REPLACEMENT),
    ],
)
def test_other_invalid_indexes_are_not_matched(statement: str, index: InvalidIndex) -> None:
    assert match_invalid_indexes(statement, [index]) == ()
