"""Which lock each kind of statement is said to take."""

import pytest

from opsctl.sql.locks import find_locks


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("ALTER TABLE a ADD b int", [("a", "ACCESS EXCLUSIVE")]),
        ("alter table if exists only public.a drop b", [("public.a", "ACCESS EXCLUSIVE")]),
        ('ALTER TABLE "A b" VALIDATE CONSTRAINT c', [('"A b"', "SHARE UPDATE EXCLUSIVE")]),
        ("DROP TABLE IF EXISTS a", [("a", "ACCESS EXCLUSIVE")]),
        ("TRUNCATE a", [("a", "ACCESS EXCLUSIVE")]),
        ("CREATE INDEX i ON a (b)", [("a", "SHARE")]),
        ("CREATE UNIQUE INDEX CONCURRENTLY i ON a (b)", [("a", "SHARE UPDATE EXCLUSIVE")]),
        ("INSERT INTO a SELECT 1", [("a", "ROW EXCLUSIVE")]),
        ("UPDATE ONLY a SET b = 1", [("a", "ROW EXCLUSIVE")]),
        ("COPY a (b) FROM stdin", [("a", "ROW EXCLUSIVE")]),
        ("REFRESH MATERIALIZED VIEW a", [("a", "ACCESS EXCLUSIVE")]),
        ("REFRESH MATERIALIZED VIEW CONCURRENTLY a", [("a", "EXCLUSIVE")]),
        (
            "CREATE TRIGGER t BEFORE INSERT ON a EXECUTE PROCEDURE f()",
            [("a", "SHARE ROW EXCLUSIVE")],
        ),
        ("CREATE TABLE b (a int REFERENCES a)", [("a", "SHARE ROW EXCLUSIVE")]),
        ("CREATE TABLE b (a int)", []),
        ("SELECT * FROM a", []),
        ("VACUUM FULL a", [("a", "ACCESS EXCLUSIVE")]),
        ("VACUUM a", [("a", "SHARE UPDATE EXCLUSIVE")]),
        ("SELECT create_hypertable('a', by_range('t'))", [("a", "ACCESS EXCLUSIVE")]),
    ],
)
def test_the_locks_of_a_statement_are_found_by_its_words(
    statement: str, expected: list[tuple[str, str]]
) -> None:
    assert [(lock.table, lock.mode) for lock in find_locks(statement)] == expected


@pytest.mark.parametrize("gap", [" " * 60, "--\n" * 30, "/**/" * 30, "\n" * 60])
@pytest.mark.parametrize("head", ["ALTER TABLE", "CREATE INDEX i ON", "CREATE TABLE a REFERENCES"])
def test_a_long_gap_before_what_does_not_fit_is_crossed_once(head: str, gap: str) -> None:
    # Where it could be cut into parts in many ways, this would not end before the universe does.
    assert find_locks(f"{head}{gap}!") == []
