"""What is refused before anything runs, and what a file may ask for."""

import pytest

from opsctl.migrate.model import Migration, RefusedMigrationError, TimeLimits
from opsctl.migrate.parse.excerpt import locate
from opsctl.migrate.prepare import prepare
from opsctl.migrate.run_model import PreparedFile, PrepareOptions
from opsctl.sql.lexer import read_script
from opsctl.sql.outside_transaction import why_not_in_transaction

LIMITS = TimeLimits(lock_s=5.0, statement_s=60.0)
RULES = PrepareOptions(LIMITS, read_script, why_not_in_transaction)
ALLOWING = PrepareOptions(LIMITS, read_script, why_not_in_transaction, allow_non_transactional=True)


def prepared(text: str, prepare_options: PrepareOptions = RULES) -> PreparedFile:
    return prepare(Migration(1, "a", "001_a.sql", "sum"), prepare_options, text.encode)


def refusal(text: str, prepare_options: PrepareOptions = RULES) -> RefusedMigrationError:
    with pytest.raises(RefusedMigrationError) as refused:
        prepared(text, prepare_options)
    return refused.value


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("COMMIT;", "1:1"),
        ("SELECT 1;\n  rollback;", "2:3"),
        ("/* BEGIN; */ begin;", "1:14"),
        ("START TRANSACTION;", "1:1"),
        ("PREPARE TRANSACTION 'x';", "1:1"),
        ("SAVEPOINT a;", "1:1"),
        ("ABORT", "1:1"),
    ],
)
def test_transaction_control_is_refused_where_it_stands(text: str, place: str) -> None:
    refused = refusal(text)

    assert refused.what == f"001_a.sql:{place}: cannot run this"
    assert refused.exit_code == 5


@pytest.mark.parametrize(
    "text",
    [
        "-- COMMIT;\nSELECT 'COMMIT;';",
        "DO $$ BEGIN COMMIT; END $$;",
        'SELECT ";COMMIT;" FROM (SELECT 1 AS ";COMMIT;") AS x;',
        "CREATE FUNCTION f() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1; END;",
        "COPY a FROM stdin;\nCOMMIT;\n\\.\n",
        "SELECT CASE WHEN true THEN 1 END;",
    ],
)
def test_what_only_looks_like_transaction_control_passes(text: str) -> None:
    assert prepared(text).text == text


@pytest.mark.parametrize(
    "text",
    [
        "CREATE INDEX CONCURRENTLY i ON a (b);",
        "create unique index concurrently if not exists i on a (b);",
        "DROP INDEX CONCURRENTLY i;",
        "REINDEX TABLE CONCURRENTLY a;",
        "VACUUM FULL a;",
        "ALTER SYSTEM SET work_mem = '1MB';",
        "CREATE DATABASE x;",
        "DROP TABLESPACE x;",
    ],
)
def test_what_cannot_run_in_a_transaction_is_refused_with_a_hint(text: str) -> None:
    refused = refusal(text)

    assert "only outside a transaction" in refused.why
    assert "-- opsctl: no-transaction" in refused.hint
    assert prepared(f"-- opsctl: no-transaction\n{text}", ALLOWING).non_transactional


@pytest.mark.parametrize(
    "text", ["ALTER TABLE concurrently ADD x int;", "CREATE TABLE vacuum (id int);"]
)
def test_names_that_are_such_words_pass(text: str) -> None:
    assert not prepared(text).non_transactional


def test_a_file_may_set_its_own_limits() -> None:
    text = (
        "-- A header\n-- opsctl: lock_timeout=300ms\n-- OPSCTL: statement_timeout = 2h\nSELECT 1;"
    )

    assert prepared(text).limits == TimeLimits(lock_s=0.3, statement_s=7200.0)
    assert prepared("-- opsctl: lock_timeout=0\nSELECT 1;").limits.lock_s == 0


def test_limits_below_the_first_statement_are_only_comments() -> None:
    assert prepared("SELECT 1;\n-- opsctl: lock_timeout=1s\n").limits == LIMITS


@pytest.mark.parametrize(
    ("line", "place"),
    [
        ("-- opsctl: no-transactions", "1:12"),
        ("-- opsctl: lock_timeout=5", "1:12"),
        ("-- opsctl: lock_timeout=soon", "1:12"),
    ],
)
def test_an_unknown_directive_is_refused(line: str, place: str) -> None:
    refused = refusal(f"{line}\nSELECT 1;")

    assert refused.what.startswith(f"001_a.sql:{place}")
    assert "Use no-transaction" in refused.hint


def test_a_non_transactional_file_holds_one_statement() -> None:
    refused = refusal("-- opsctl: no-transaction\nVACUUM a; VACUUM b;", ALLOWING)

    assert "exactly one statement, not 2" in refused.why


@pytest.mark.parametrize("text", ["SELECT 'x", "/* x", "SELECT $$ x", "COPY a FROM stdin;\n1\n"])
def test_an_unclosed_quotation_is_refused(text: str) -> None:
    assert "cannot be parsed" in refusal(text).why


def test_values_are_escaped_inside_quotes() -> None:
    prepare_options = PrepareOptions(
        LIMITS, read_script, why_not_in_transaction, variables={"a": "x'y\"z\\", "n": "1"}
    )

    text = prepared("SELECT :'a', :\"a\", :n, ':n', 1::int, a[1 : 2];", prepare_options).text

    assert text == "SELECT  E'x''y\"z\\\\', \"x'y\"\"z\\\", 1, ':n', 1::int, a[1 : 2];"


@pytest.mark.parametrize("text", ["SELECT a[1:n];", "SELECT a[lo:hi];", "SELECT {'x':y};"])
def test_a_slice_and_a_struct_are_not_variables(text: str) -> None:
    assert prepared(text).text == text


def test_a_value_cannot_contain_transaction_control() -> None:
    prepare_options = PrepareOptions(
        LIMITS, read_script, why_not_in_transaction, variables={"n": "1; COMMIT; SELECT 2"}
    )

    assert "COMMIT would separate" in refusal("SELECT :n;", prepare_options).why


def test_a_long_line_is_shortened_around_the_location() -> None:
    text = "SELECT " + "x" * 300 + " nope " + "y" * 300

    at = locate(text, "f.sql", text.index("nope"))

    line, caret = at.excerpt
    assert len(line) < 140
    assert line[len(caret) - 1 :].startswith("nope")


def test_wide_letters_and_tabs_do_not_move_the_caret() -> None:
    text = "a\n\t가나 nope\r\n"

    at = locate(text, "f.sql", text.index("nope"))

    assert (at.line, at.column) == (2, 5)
    assert at.excerpt == ("2 |  가나 nope", "  |       ^")
