"""Every error of the embedded drivers is said in our words."""

import sqlite3

import duckdb
import pytest

from opsctl.errors import BusyError, OpsctlError
from opsctl.migrate.dialects import duckdb as duckdb_dialect
from opsctl.migrate.dialects import sqlite as sqlite_dialect
from opsctl.systems import duckdb as duckdb_script
from opsctl.systems.sql_scripts import NEEDS_ALONE, ScriptError, ScriptStage
from opsctl.systems.sqlite import scripts as sqlite_script

DUCKDB_ERRORS = [
    found
    for found in vars(duckdb).values()
    if isinstance(found, type) and issubclass(found, duckdb.Error)
]


@pytest.mark.parametrize("kind", DUCKDB_ERRORS, ids=lambda kind: kind.__name__)
def test_every_error_of_duckdb_has_a_code(kind: type[duckdb.Error]) -> None:
    error = duckdb_script.translate(
        kind("said so\nat length"), "here", stage=ScriptStage.TEXT, position=3, statement=1
    )

    assert isinstance(error, ScriptError)
    assert error.sqlstate in duckdb_script.CODES.values()
    assert (error.why, error.position, error.statement) == ("said so", 3, 1)


def test_every_kind_of_duckdb_error_that_a_run_knows_is_a_code() -> None:
    assert set(duckdb_dialect.KINDS) <= set(duckdb_script.CODES.values())


@pytest.mark.parametrize("name", [*sqlite_script.BROKEN, *sqlite_dialect.KINDS])
def test_every_code_of_sqlite_that_a_run_knows_exists(name: str) -> None:
    assert name == NEEDS_ALONE or hasattr(sqlite3, name)


def sqlite_error(name: str, words: str = "said so") -> sqlite3.OperationalError:
    error = sqlite3.OperationalError(words)
    error.sqlite_errorname = name
    return error


@pytest.mark.parametrize(
    ("error", "stage", "expected"),
    [
        (sqlite_error("SQLITE_ERROR"), ScriptStage.TEXT, ScriptError),
        (sqlite_error("SQLITE_BUSY"), ScriptStage.BEFORE, ScriptError),
        (sqlite_error("SQLITE_BUSY"), ScriptStage.TEXT, BusyError),
        (sqlite_error("SQLITE_IOERR_WRITE"), ScriptStage.TEXT, OpsctlError),
        (sqlite3.Warning("one statement at a time"), ScriptStage.TEXT, ScriptError),
    ],
)
def test_an_answer_of_sqlite_is_about_a_statement_or_about_the_file(
    error: sqlite3.Error, stage: ScriptStage, expected: type[OpsctlError]
) -> None:
    found = sqlite_script.translate(error, "here", stage=stage, position=0, statement=0)

    assert type(found) is expected


@pytest.mark.parametrize(
    "statement", ["VACUUM", "PRAGMA journal_mode = WAL", "PRAGMA synchronous = OFF"]
)
def test_errors_that_sqlite_reports_only_as_text_are_recognized(statement: str) -> None:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")

    try:
        connection.execute(statement)
    except sqlite3.Error as error:
        found = sqlite_script.translate(error, "", stage=ScriptStage.TEXT, position=0, statement=0)
        assert isinstance(found, ScriptError)
        assert found.sqlstate == NEEDS_ALONE
    else:
        assert statement.startswith("PRAGMA journal_mode")
    finally:
        connection.close()
