"""Statements as SQLite sees them, held to its own opinion."""

import sqlite3

import pytest

from opsctl.migrate.dialects.sqlite_reader import read_sqlite_script


def texts(script: str) -> list[str]:
    return [script[s.start.offset : s.end] for s in read_sqlite_script(script).statements]


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("SELECT 1; SELECT 2", ["SELECT 1", "SELECT 2"]),
        ("SELECT ';'; -- ;\nSELECT \";\" ;", ["SELECT ';'", 'SELECT ";" ']),
        ("SELECT `;`, [;] ; /* ; */ SELECT 2;", ["SELECT `;`, [;] ", "SELECT 2"]),
        (
            "CREATE TRIGGER t AFTER INSERT ON a BEGIN SELECT CASE WHEN 1 THEN 2 END; END; SELECT 1",
            [
                "CREATE TRIGGER t AFTER INSERT ON a BEGIN SELECT CASE WHEN 1 THEN 2 END; END",
                "SELECT 1",
            ],
        ),
        ("create temp trigger t after insert on a begin select 1; end;", None),
        (";;", []),
        ("", []),
    ],
)
def test_statements_are_found(script: str, expected: list[str] | None) -> None:
    assert texts(script) == (expected if expected is not None else [script[:-1]])


@pytest.mark.parametrize("script", ["SELECT 'a", 'SELECT "a', "SELECT [a", "SELECT `a"])
def test_an_unclosed_quotation_is_a_syntax_error(script: str) -> None:
    assert read_sqlite_script(script).syntax_errors


@pytest.mark.parametrize(
    "script",
    [
        "SELECT 'it''s; ok'; SELECT 1;",
        "CREATE TRIGGER t AFTER DELETE ON a BEGIN DELETE FROM a; INSERT INTO a VALUES (1); END;",
        "SELECT 1 /* ; nested /* ; */; SELECT 2;",
    ],
)
def test_every_statement_is_complete_to_sqlite_and_no_sooner(script: str) -> None:
    for text in texts(script):
        assert sqlite3.complete_statement(f"{text};")
        assert not sqlite3.complete_statement(text)


def test_nothing_is_read_behind_the_first_quotation_that_nothing_closes() -> None:
    script = read_sqlite_script("SELECT 1;\n" + "[ ; " * 1000)

    (error,) = script.syntax_errors
    assert (error.text, error.position.line) == ("an unclosed quotation: [", 2)
    assert len(script.statements) == 2
