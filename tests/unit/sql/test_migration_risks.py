"""Which statements of a file are risky on a live table."""

import pytest

from opsctl.sql.lexer import read_script
from opsctl.sql.migration_risks import RiskKind, find_risks


def risks(text: str) -> list[tuple[RiskKind, int]]:
    found = find_risks(text, read_script(text).statements)
    return [(risk.kind, risk.line) for risk in found]


@pytest.mark.parametrize(
    ("statement", "kind"),
    [
        ("ALTER TABLE a ADD COLUMN b text NOT NULL", RiskKind.NOT_NULL),
        ("ALTER TABLE a ALTER COLUMN b TYPE bigint", RiskKind.LOCK),
        ("VACUUM FULL a", RiskKind.LOCK),
        ("CREATE INDEX a_b ON a (b)", RiskKind.INDEX_LOCK),
        ("DROP TABLE a", RiskKind.DATA_LOSS),
        ("DELETE FROM a", RiskKind.DATA_LOSS),
    ],
)
def test_a_risky_statement_is_found_on_its_line(statement: str, kind: RiskKind) -> None:
    assert risks(f"SELECT 1;\n{statement};\n") == [(kind, 2)]


@pytest.mark.parametrize(
    "text",
    [
        "CREATE TABLE a (b text);\nCREATE INDEX a_b ON a (b);\nALTER TABLE a ADD c int NOT NULL;",
        "ALTER TABLE a ADD COLUMN b text NOT NULL DEFAULT '';",
        "CREATE INDEX CONCURRENTLY a_b ON a (b);",
        "SELECT 'DROP TABLE a' -- DROP TABLE a\n;",
        "DELETE FROM a WHERE id = 1;",
    ],
)
def test_a_safe_statement_has_no_risk(text: str) -> None:
    assert risks(text) == []


def test_only_the_requested_kinds_are_judged() -> None:
    text = "DROP TABLE a; VACUUM FULL b;"

    found = find_risks(text, read_script(text).statements, [RiskKind.LOCK])

    assert [risk.kind for risk in found] == [RiskKind.LOCK]
