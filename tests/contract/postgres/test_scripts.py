from collections.abc import Iterator

import pytest

from opsctl.systems.sql_scripts import ScriptError, ScriptSession, ScriptStage, SqlValue
from tests.engines.databases import Database
from tests.messages import message, refusal, scripts, tables


@pytest.fixture
def session(any_postgres: Database) -> Iterator[ScriptSession]:
    with scripts(any_postgres).session() as session:
        session.run(message("CREATE TABLE kept (a int, b text)"))
        yield session


def test_a_file_and_its_row_are_there_together(session: ScriptSession) -> None:
    session.run(
        message("CREATE TABLE a (a int); -- the end", before=("INSERT INTO kept VALUES (1)",))
    )

    assert tables(session) == ["a", "kept"]
    assert session.query("SELECT a FROM kept") == [(1,)]


@pytest.mark.parametrize("wrong", ["SELECT 1/0", "SELEC", "VACUUM", "'", "/*", "$$"])
def test_a_file_that_fails_leaves_nothing_and_the_session_goes_on(
    session: ScriptSession, wrong: str
) -> None:
    row = "INSERT INTO kept VALUES (1)"

    refusal(session, message(f"CREATE TABLE torn (a int); {wrong}", before=(row,)))

    assert tables(session) == ["kept"]
    assert session.query("SELECT count(*) FROM kept") == [(0,)]


@pytest.mark.parametrize(
    ("text", "sqlstate", "at", "statement"),
    [
        ("SELECT 'é€🙂'; SELECT nope;", "42703", "nope;", 1),
        ("SELECT 1;\r\n\r\nSELECT nope", "42703", "nope", 1),
        ("SELECT 1; SELEC 2;", "42601", "SELEC", None),
        ("SELECT 1; SELECT 'a", "42601", "'a", None),
        ("SELECT 1;; ; VACUUM;", "25001", None, 1),
        ("SELECT 1; DO $$BEGIN\nPERFORM 1/0; END$$", "22012", None, 1),
        ("COPY kept FROM stdin;\n1\té\n\\.\nSELECT 1; SELECT nope", "42703", "nope", 2),
        ("COPY kept FROM stdin;\n1\té\nx\té\n\\.\n", "22P02", "x\té\n", 0),
        ("SELECT 1; COPY kept FROM stdin;\n1\té\n2\n\\.\n", "22P04", "2\n", 1),
        ("COPY kept FROM stdin;\n\\.\nCOPY kept FROM stdin;\nx\n\\.\n", "22P02", "x\n", 1),
        ("COPY nope FROM stdin;\n1\n\\.\n", "42P01", None, 0),
    ],
)
def test_an_error_is_placed_in_the_file(
    session: ScriptSession, text: str, sqlstate: str, at: str | None, statement: int | None
) -> None:
    error = refusal(session, message(text, before=("SELECT 'é;'", "SELECT 1")))

    assert (error.sqlstate, error.statement, error.stage) == (sqlstate, statement, ScriptStage.TEXT)
    found = "" if error.position is None else text[error.position :]
    assert found.startswith(at or "")
    assert (error.position is None) == (at is None)


@pytest.mark.parametrize(
    ("before", "after", "stage"),
    [
        (("SELECT ';'", "SELECT nope"), "", ScriptStage.BEFORE),
        (("SELECT ';'", "SELECT 1/0"), "", ScriptStage.BEFORE),
        (("SELECT ';'",), "SELECT nope", ScriptStage.AFTER),
        (("SELECT ';'",), "SELECT 1/0", ScriptStage.AFTER),
    ],
)
def test_an_error_outside_of_the_file_is_marked(
    session: ScriptSession, before: tuple[str, ...], after: str, stage: ScriptStage
) -> None:
    error = refusal(session, message("SELECT 1; SELECT 2", before=before, after=after))

    assert (error.stage, error.position) == (stage, None)


def test_an_error_at_commit_is_marked(session: ScriptSession) -> None:
    columns = "(a int PRIMARY KEY, b int REFERENCES a DEFERRABLE INITIALLY DEFERRED)"
    row = "INSERT INTO a VALUES (1, 2)"

    error = refusal(session, message(f"CREATE TABLE a {columns}; {row}"))

    assert (error.sqlstate, error.stage, error.constraint) == (
        "23503",
        ScriptStage.AFTER,
        "a_b_fkey",
    )
    assert tables(session) == ["kept"]


def test_an_error_says_what_the_server_said(session: ScriptSession) -> None:
    raised = "RAISE EXCEPTION 'no' USING ERRCODE = 'XY001', DETAIL = 'since', HINT = 'try'"

    error = refusal(session, message(f"DO $$BEGIN {raised}; END$$"))

    assert (error.sqlstate, error.why, error.hint) == ("XY001", "no (since)", "try")
    assert "line 1 at RAISE" in error.context


def test_copy_feeds_more_than_one_buffer(session: ScriptSession) -> None:
    rows = "".join(f"{number}\t{'é' * 100}\n" for number in range(30_000))

    session.run(message(f"COPY kept FROM stdin;\n{rows}\\.\nANALYZE kept;"))

    assert session.query("SELECT count(*), min(length(b)) FROM kept") == [(30_000, 100)]


def test_copy_to_us_is_let_by(session: ScriptSession) -> None:
    session.run(message("COPY (SELECT generate_series(1, 100000)) TO STDOUT; CREATE TABLE a ();"))

    assert tables(session) == ["a", "kept"]


def test_notices_are_kept_until_the_next_file(session: ScriptSession) -> None:
    session.run(message("DO $$BEGIN RAISE NOTICE 'one'; RAISE WARNING 'two'; END$$"))

    assert session.notices == ["NOTICE:  one", "WARNING:  two"]
    session.run(message("SELECT 1"))
    assert session.notices == []


def test_settings_and_roles_of_one_file_do_not_reach_the_next(session: ScriptSession) -> None:
    session.run(
        message("SELECT set_config('search_path', '', false); SET ROLE pg_monitor; SET jit = off")
    )

    session.run(message("CREATE TABLE after_it (a int)"))

    assert tables(session) == ["after_it", "kept"]
    assert session.query("SELECT current_user::text") == [("postgres",)]


def test_a_rehearsal_leaves_nothing(session: ScriptSession) -> None:
    session.run(message("CREATE TABLE a (a int)", end="ROLLBACK"))

    assert tables(session) == ["kept"]


def test_several_files_can_share_one_transaction(session: ScriptSession) -> None:
    session.run(message("CREATE TABLE a (a int); SET search_path = ''", end=""))
    session.run(message("INSERT INTO a VALUES (1)", begin="", end=""))

    session.rollback()

    assert tables(session) == ["kept"]


def test_a_statement_that_refuses_transactions_runs_alone(session: ScriptSession) -> None:
    session.run_alone(
        "CREATE INDEX CONCURRENTLY found ON kept (a)", before=["SET lock_timeout = '2s'"]
    )

    assert session.query(
        "SELECT indisvalid FROM pg_index WHERE indexrelid = 'found'::regclass"
    ) == [(True,)]
    assert session.query("SHOW lock_timeout") == [("0",)]


def test_a_statement_that_fails_alone_leaves_the_session_usable(session: ScriptSession) -> None:
    session.run(message("INSERT INTO kept VALUES (1), (1)"))

    with pytest.raises(ScriptError) as caught:
        session.run_alone("CREATE UNIQUE INDEX CONCURRENTLY found ON kept (a)")

    assert caught.value.sqlstate == "23505"
    assert session.query("SELECT 1") == [(1,)]


def test_values_come_back_as_what_they_are(session: ScriptSession) -> None:
    values: dict[str, SqlValue] = {"a": 2**40, "b": "it's; %s", "c": None, "d": True}

    (row,) = session.query(
        "SELECT %(a)s, %(b)s::text, %(c)s::text, %(d)s, 1.5::float8",
        values,
    )

    assert row == (2**40, "it's; %s", None, True, 1.5)


def test_defaults_of_a_database_change_neither_strings_nor_times(any_postgres: Database) -> None:
    with any_postgres.connect() as connection:
        for setting in ("datestyle = 'German'", "standard_conforming_strings = off"):
            connection.execute(f"ALTER DATABASE {any_postgres.dbname} SET {setting}".encode())

    with scripts(any_postgres).session() as session:
        session.run(message("CREATE TABLE a AS SELECT '\\' AS b, timestamptz '2026-01-02Z' AS c"))
        found = session.query("SELECT b, c FROM a")

    assert [(b, c.year, c.day) for b, c in found] == [("\\", 2026, 2)]


def test_a_nul_byte_is_refused_before_anything_is_sent(session: ScriptSession) -> None:
    refusal(session, message("CREATE TABLE a (a int);\0 SELECT 1/0"))

    assert tables(session) == ["kept"]


def test_a_runner_behind_a_lock_says_which(any_postgres: Database, session: ScriptSession) -> None:
    with any_postgres.connect() as other, other.transaction():
        other.execute("LOCK TABLE kept")

        error = refusal(
            session, message("DROP TABLE kept", before=("SET LOCAL lock_timeout = '50ms'",))
        )

    assert (error.sqlstate, error.statement) == ("55P03", 0)
    assert tables(session) == ["kept"]
