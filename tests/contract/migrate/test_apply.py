"""What applying a file means, on every kind of database."""

import pytest

from opsctl.errors import UsageError
from opsctl.migrate.model import (
    ApplyOptions,
    MigrationError,
    MigrationState,
    RefusedMigrationError,
)
from tests.migration_setup import MigrationSetup

TABLE = "CREATE TABLE {name} (id integer PRIMARY KEY, body text);\n"


def test_files_run_once_in_the_order_of_their_numbers(anywhere: MigrationSetup) -> None:
    anywhere.write("10_third.sql", "INSERT INTO a VALUES (3, 'third');")
    anywhere.write("9_second.sql", "INSERT INTO a VALUES (2, 'second');")
    anywhere.write("0001_first.sql", TABLE.format(name="a"))

    first = anywhere.apply()
    second = anywhere.apply()

    assert first.applied == ("0001_first.sql", "9_second.sql", "10_third.sql")
    assert second.applied == ()
    assert anywhere.query("SELECT id FROM a ORDER BY id") == [(2,), (3,)]


def test_a_row_records_every_fact_about_a_file(anywhere: MigrationSetup) -> None:
    anywhere.write("001_a.sql", TABLE.format(name="a"))

    anywhere.apply()

    (status,) = anywhere.statuses()
    assert status.applied is not None
    assert status.applied.name == "a"
    assert status.applied.applied_at is not None
    assert status.applied.applied_by
    assert status.applied.duration_ms is not None
    assert status.applied.opsctl_version
    assert status.migration is not None
    assert status.applied.checksum == status.migration.checksum


def test_a_file_that_fails_leaves_nothing_and_keeps_what_came_before(
    anywhere: MigrationSetup,
) -> None:
    anywhere.write("001_a.sql", TABLE.format(name="a"))
    anywhere.write("002_b.sql", f"{TABLE.format(name='b')}\nSELECT nope FROM a;\n")
    anywhere.write("003_c.sql", TABLE.format(name="c"))

    with pytest.raises(MigrationError) as failed:
        anywhere.apply()

    assert anywhere.tables() == ["a"]
    assert anywhere.rows() == [1]
    assert failed.value.what.startswith("002_b.sql:3:")
    assert failed.value.excerpt[0] == "3 | SELECT nope FROM a;"
    assert failed.value.excerpt[1].endswith("^")
    assert "left nothing behind; 1 applied in this run and kept: 001_a.sql" in failed.value.why
    assert failed.value.facts["line"] == 3


def test_a_run_continues_with_the_corrected_file(anywhere: MigrationSetup) -> None:
    anywhere.write("001_a.sql", TABLE.format(name="a"))
    anywhere.write("002_b.sql", "SELECT nope FROM a;\n")
    with pytest.raises(MigrationError):
        anywhere.apply()
    anywhere.write("002_b.sql", TABLE.format(name="b"))

    outcome = anywhere.apply()

    assert outcome.applied == ("002_b.sql",)
    assert anywhere.tables() == ["a", "b"]


def test_a_run_stops_at_the_requested_version_or_step(anywhere: MigrationSetup) -> None:
    for name in "abcd":
        anywhere.write(f"00{'abcd'.index(name) + 1}_{name}.sql", TABLE.format(name=name))

    anywhere.apply(ApplyOptions(step=1))
    assert anywhere.tables() == ["a"]
    anywhere.apply(ApplyOptions(to=3))

    assert anywhere.tables() == ["a", "b", "c"]


def test_an_unknown_target_version_is_a_usage_error(anywhere: MigrationSetup) -> None:
    anywhere.write("001_a.sql", TABLE.format(name="a"))

    with pytest.raises(UsageError, match="cannot find migration 7"):
        anywhere.apply(ApplyOptions(to=7))


def test_a_byte_order_mark_and_other_line_ends_change_nothing(anywhere: MigrationSetup) -> None:
    anywhere.write("001_a.sql", f"\ufeff{TABLE.format(name='a')}INSERT INTO a VALUES (1, 'x');\n")
    anywhere.apply()
    text = f"{TABLE.format(name='a')}INSERT INTO a VALUES (1, 'x');\n".replace("\n", "\r\n")

    anywhere.write("001_a.sql", text)

    assert anywhere.states() == [MigrationState.APPLIED]


def test_a_comment_on_the_last_line_does_not_hide_the_row(anywhere: MigrationSetup) -> None:
    anywhere.write("001_a.sql", f"{TABLE.format(name='a')}-- the end")

    anywhere.apply()

    assert anywhere.rows() == [1]


@pytest.mark.parametrize("text", ["", "\n", "-- only words\n", ";;\n"])
def test_an_empty_file_is_applied_like_any_other(anywhere: MigrationSetup, text: str) -> None:
    anywhere.write("001_a.sql", text)

    anywhere.apply()

    assert anywhere.rows() == [1]


@pytest.mark.parametrize(
    "text",
    [
        "BEGIN;\nCREATE TABLE b (id integer);\nCOMMIT;\n",
        "CREATE TABLE b (id integer);\ncommit;\nSELECT nope;\n",
        "CREATE TABLE b (id integer);\n/* now */ ROLLBACK;\n",
        "SAVEPOINT one;\n",
        "CREATE TABLE b (id integer);\nEND;\n",
    ],
)
def test_a_file_with_its_own_transaction_is_refused_before_anything_runs(
    anywhere: MigrationSetup, text: str
) -> None:
    anywhere.write("001_a.sql", TABLE.format(name="a"))
    anywhere.write("002_b.sql", text)

    with pytest.raises(RefusedMigrationError, match=r"002_b\.sql:\d+:\d+") as refused:
        anywhere.apply()

    assert "nothing was changed" in refused.value.why
    assert anywhere.tables() == []
    assert anywhere.rows() == []


def test_names_with_quotes_percents_and_backslashes_are_only_names(
    anywhere: MigrationSetup,
) -> None:
    name = "o'brien\\; 100% $$ :x"
    anywhere.write(f"001_{name}.sql", TABLE.format(name="a"))

    anywhere.apply()

    (status,) = anywhere.statuses()
    assert status.applied is not None
    assert status.applied.name == name


def test_percents_and_question_marks_in_a_file_are_only_text(anywhere: MigrationSetup) -> None:
    text = f"{TABLE.format(name='a')}INSERT INTO a VALUES (1, '100% of %s and %(x)s? yes; $1');\n"
    anywhere.write("001_a.sql", text)

    anywhere.apply()

    assert anywhere.query("SELECT body FROM a") == [("100% of %s and %(x)s? yes; $1",)]


def test_variables_are_replaced_as_psql_does(anywhere: MigrationSetup) -> None:
    text = "CREATE TABLE :\"name\" (id integer, body text);\nINSERT INTO :name VALUES (:n, :'s');\n"
    anywhere.write("001_a.sql", text)
    filled = anywhere.with_options(variables={"name": "a", "n": "7", "s": "it's"})

    filled.apply()

    assert anywhere.query("SELECT * FROM a") == [(7, "it's")]


def test_a_value_that_was_not_given_is_refused_by_name_and_place(anywhere: MigrationSetup) -> None:
    anywhere.write("001_a.sql", "CREATE TABLE a (id integer);\nINSERT INTO a VALUES (:n);\n")

    with pytest.raises(RefusedMigrationError, match=r"001_a\.sql:2:23") as refused:
        anywhere.apply()

    assert refused.value.why.startswith("n has no value")
    assert "--set n=" in refused.value.hint
    assert anywhere.tables() == []


def test_a_statement_that_runs_too_long_is_canceled_and_reported(anywhere: MigrationSetup) -> None:
    endless = (
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000000000)"
        " SELECT max(i) FROM n;\n"
    )
    anywhere.write("001_a.sql", f"-- opsctl: statement_timeout=200ms\n{endless}")

    with pytest.raises(MigrationError) as failed:
        anywhere.apply()

    assert "statement_timeout" in failed.value.hint
    assert anywhere.rows() == []
