import time
from collections.abc import Callable
from typing import SupportsIndex

import pytest

from opsctl.migrate.dialects.sqlite_reader import read_sqlite_script
from opsctl.sql.lexer import SqlScript, TextPosition, position_at, read_script


def statements(text: str) -> list[str]:
    return [text[found.start.offset : found.end] for found in read_script(text).statements]


@pytest.mark.parametrize(
    "text",
    [
        "SELECT 'a;b'",
        "SELECT 'it''s; here'",
        r"SELECT 'a backslash hides nothing \'",
        r"SELECT E'but here it does \'; '",
        "SELECT E'a'\n  'and \\'; goes on'",
        "SELECT E'a' -- then\n  '\\'; goes on'",
        'SELECT 1 AS "a;""b"',
        "SELECT U&\"d\\0061t;a\", U&'x;'",
        "SELECT $$;$$, $a$;$$;$b$;$a$, $é$;$é$",
        "SELECT a$b$c FROM t",
        "SELECT 1 /* ; /* ; */ ; */ + 1",
        "SELECT 1 -- ; \n + 1",
        "SELECT 3 -/* ; */- 2",
        "SELECT true AS e, 1 AS \u00e9, '\u00e9;'",
        "DO $$BEGIN COMMIT; END$$",
        "CREATE RULE r AS ON INSERT TO t DO ALSO (DELETE FROM a; DELETE FROM b)",
        "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT CASE WHEN a THEN 1 END; END",
        "CREATE OR REPLACE PROCEDURE p() BEGIN /* */ ATOMIC INSERT INTO t VALUES (1); END",
        "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1 AS end; SELECT 1 end; END",
        "CREATE FUNCTION begin(atomic int) RETURNS int LANGUAGE sql AS 'SELECT 1; SELECT 2'",
    ],
)
def test_what_postgres_takes_for_one_statement_stays_one(text: str) -> None:
    found = statements(f"SELECT 0;{text};SELECT 2")

    assert found == ["SELECT 0", text, "SELECT 2"]


def test_a_statement_starts_at_its_first_word_and_ends_before_its_semicolon() -> None:
    text = "-- a note\n\n  /* b */ SELECT\n 1 ; \n-- the end"

    (found,) = read_script(text).statements

    assert found.start == TextPosition(offset=21, line=3, column=11)
    assert text[found.start.offset : found.end] == "SELECT\n 1 "


def test_empty_statements_and_comments_are_none() -> None:
    assert statements(";; -- a\n ; /* b */ ;") == []


def test_the_first_words_are_enough_to_judge_a_statement() -> None:
    text = 'create /* now */ unique index concurrently if not exists "quoted; name" on s.t (a)'

    (found,) = read_script(text).statements

    assert found.words[:4] == ("CREATE", "UNIQUE", "INDEX", "CONCURRENTLY")


@pytest.mark.parametrize(
    "text",
    [
        "begin",
        "START /* */ TRANSACTION",
        "COMMIT AND CHAIN",
        "END",
        "rollback to s",
        "ABORT",
        "SAVEPOINT a",
        "RELEASE a",
        "PREPARE TRANSACTION 'x'",
        "COMMIT PREPARED 'x'",
    ],
)
def test_transaction_control_is_seen(text: str) -> None:
    found = read_script(f"SELECT 1;{text};").statements

    assert [statement.controls_transaction for statement in found] == [False, True]


@pytest.mark.parametrize(
    "text",
    [
        "DO $$BEGIN COMMIT; END$$",
        "SELECT 'x; COMMIT; '",
        "PREPARE p AS SELECT 1",
        'SELECT 1 AS "COMMIT"',
        "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; END",
        "SELECT begin, commit FROM rollback",
        "-- COMMIT;\nSELECT 1",
    ],
)
def test_what_only_looks_like_transaction_control_is_not(text: str) -> None:
    found = read_script(text).statements

    assert [statement.controls_transaction for statement in found] == [False]


def test_data_of_copy_is_cut_out_whatever_stands_in_it() -> None:
    data = "1\t'it;\n2\t\\N\n3\t$$ -- /* \\\\.\n"
    text = f"COPY s.t (a, b) FROM STDIN; -- rows\n{data}\\.\nSELECT 1;"

    script = read_script(text)

    (copied,) = script.copies
    assert text[copied.start : copied.end] == data
    assert text[copied.after :] == "SELECT 1;"
    assert copied.statement == 0
    assert len(script.statements) == 2
    assert script.syntax_errors == ()


def test_copy_without_rows_and_with_windows_line_ends_is_read() -> None:
    text = "COPY t FROM stdin;\r\n\\.\r\nSELECT 1;"

    script = read_script(text)

    assert [(copied.start, copied.end, copied.after) for copied in script.copies] == [(20, 20, 24)]
    assert len(script.statements) == 2


@pytest.mark.parametrize(
    "text", ["COPY t FROM '/tmp/file'", "COPY t TO STDOUT", "COPY (SELECT a FROM stdin) TO STDOUT"]
)
def test_copy_that_reads_nothing_from_us_has_no_data(text: str) -> None:
    script = read_script(f"{text};\nSELECT 1;")

    assert script.copies == ()
    assert len(script.statements) == 2


@pytest.mark.parametrize(
    ("text", "what", "line", "column"),
    [
        ("SELECT 1;\nSELECT 'a;\n", "an unclosed quotation: '", 2, 8),
        ('SELECT "a""', 'an unclosed quotation: "', 1, 8),
        (r"SELECT E'a\'", "an unclosed quotation: E'", 1, 8),
        ("SELECT E''\n'\\'", "an unclosed quotation: E'", 1, 8),
        ("DO $a$ $$ $b$", "an unclosed quotation: $a$", 1, 4),
        ("SELECT 1 /* /* */", "an unclosed comment", 1, 10),
        ("COPY t FROM stdin;\n1\n2\n", r"COPY data without its last line \.", 2, 1),
        ("COPY t FROM stdin; SELECT 1;\n\\.\n", "COPY data must start on a new line", 1, 19),
        ("SELECT '\0'", "a NUL byte", 1, 9),
    ],
)
def test_a_syntax_error_is_reported_with_its_position(
    text: str, what: str, line: int, column: int
) -> None:
    error = read_script(text).syntax_errors[0]

    assert (error.text, error.position.line, error.position.column) == (what, line, column)


def test_commands_of_psql_are_found_with_their_line() -> None:
    text = "\\restrict it's\nSELECT 1 \\gexec\nSELECT E'\\n';\n  \\i other.sql\n"

    script = read_script(text)

    found = [(command.text, command.position.line) for command in script.commands]
    assert found == [("\\restrict it's", 1), ("\\gexec", 2), ("\\i other.sql", 4)]


def test_variables_of_psql_are_found_and_casts_are_not() -> None:
    text = "SELECT :a, :'b', :\"c\", x::int, ':d', a[1:2], $$:e$$ -- :f"

    script = read_script(text)

    assert [variable.text for variable in script.variables] == [":a", ":'b'", ':"c"']


def test_a_place_counts_characters_and_lines_from_1() -> None:
    assert position_at("é\nüx", 3) == TextPosition(offset=3, line=2, column=2)


class Watched(str):
    """A text that notes how much of it is searched for line ends."""

    __slots__ = ("looked_at",)
    looked_at: int

    def count(
        self, sub: str, start: SupportsIndex | None = None, end: SupportsIndex | None = None, /
    ) -> int:
        self._note(start, end)
        return super().count(sub, start, end)

    def rfind(
        self, sub: str, start: SupportsIndex | None = None, end: SupportsIndex | None = None, /
    ) -> int:
        self._note(start, end)
        return super().rfind(sub, start, end)

    def _note(self, start: SupportsIndex | None, end: SupportsIndex | None) -> None:
        length = (len(self) if end is None else int(end)) - int(start or 0)
        self.looked_at = getattr(self, "looked_at", 0) + length


@pytest.mark.parametrize("read", [read_script, read_sqlite_script])
@pytest.mark.parametrize("part", ["a:a:", ":a ", "a;", "\\i a ", "a;\n", "\\i a\n", "'a';$$a$$:a "])
def test_no_text_is_counted_more_than_a_few_times(
    read: Callable[[str], SqlScript], part: str
) -> None:
    text = Watched(part * 2000)

    read(text)

    assert text.looked_at <= 3 * len(text)


def test_a_thousand_small_files_are_read_in_well_under_a_second() -> None:
    text = "CREATE TABLE t (id bigint PRIMARY KEY, name text NOT NULL);\n" * 5
    started = time.process_time()

    for _ in range(1000):
        read_script(text)

    assert time.process_time() - started < 0.6
