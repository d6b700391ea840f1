import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from opsctl.errors import SettingsError, UnreachableError
from opsctl.migrate.lexer import read_script
from opsctl.systems.clock import SystemClock
from opsctl.systems.postgres_script import LibpqScripts
from opsctl.systems.script import Message, ScriptError, ScriptSession, Stage, Value
from tests.engines.databases import Database
from tests.engines.postgres import PostgresServer
from tests.waiting import wait_for


def scripts(database: Database, *, query_s: float = 20) -> LibpqScripts:
    return LibpqScripts(database.url, clock=SystemClock(), query_s=query_s)


def message(
    text: str,
    *,
    begin: str = "BEGIN",
    before: tuple[str, ...] = (),
    after: str = "",
    end: str = "COMMIT",
) -> Message:
    script = read_script(text)
    return Message(
        text,
        copies=tuple((copied.start, copied.end, copied.after) for copied in script.copies),
        starts=tuple(statement.start.offset for statement in script.statements),
        begin=begin,
        before=before,
        after=after,
        end=end,
    )


@pytest.fixture
def session(any_postgres: Database) -> Iterator[ScriptSession]:
    with scripts(any_postgres).session() as session:
        session.run(message("CREATE TABLE kept (a int, b text)"))
        yield session


def refusal(session: ScriptSession, asked: Message) -> ScriptError:
    with pytest.raises(ScriptError) as caught:
        session.run(asked)
    return caught.value


def tables(session: ScriptSession) -> list[str]:
    found = session.query("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    return sorted(name for (name,) in found)


def running(database: Database, text: str) -> list[int]:
    """Find who runs a text, among those whose own text does not say so."""
    with database.connect() as connection:
        found = connection.execute(
            "SELECT pid FROM pg_stat_activity WHERE state <> 'idle' AND pid <> pg_backend_pid()"
            " AND datname = current_database() AND query LIKE %s",
            [f"%{text}%"],
        )
        return [pid for (pid,) in found]


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

    assert (error.sqlstate, error.statement, error.stage) == (sqlstate, statement, Stage.TEXT)
    found = "" if error.position is None else text[error.position :]
    assert found.startswith(at or "")
    assert (error.position is None) == (at is None)


@pytest.mark.parametrize(
    ("before", "after", "stage"),
    [
        (("SELECT ';'", "SELECT nope"), "", Stage.BEFORE),
        (("SELECT ';'", "SELECT 1/0"), "", Stage.BEFORE),
        (("SELECT ';'",), "SELECT nope", Stage.AFTER),
        (("SELECT ';'",), "SELECT 1/0", Stage.AFTER),
    ],
)
def test_an_error_outside_of_the_file_is_told_apart(
    session: ScriptSession, before: tuple[str, ...], after: str, stage: Stage
) -> None:
    error = refusal(session, message("SELECT 1; SELECT 2", before=before, after=after))

    assert (error.stage, error.position) == (stage, None)


def test_what_only_the_commit_finds_is_told_apart(session: ScriptSession) -> None:
    columns = "(a int PRIMARY KEY, b int REFERENCES a DEFERRABLE INITIALLY DEFERRED)"
    row = "INSERT INTO a VALUES (1, 2)"

    error = refusal(session, message(f"CREATE TABLE a {columns}; {row}"))

    assert (error.sqlstate, error.stage, error.constraint) == ("23503", Stage.AFTER, "a_b_fkey")
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
    values: dict[str, Value] = {"a": 2**40, "b": "it's; %s", "c": None, "d": True}

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


def test_an_interruption_stops_the_server_and_takes_all_back(
    any_postgres: Database, session: ScriptSession
) -> None:
    def interrupt() -> None:
        wait_for(lambda: running(any_postgres, "pg_sleep"), 10, "the file to run")
        os.kill(os.getpid(), signal.SIGINT)

    other = threading.Thread(target=interrupt)
    other.start()

    with pytest.raises(KeyboardInterrupt):
        session.run(message("CREATE TABLE torn (a int); SELECT pg_sleep(60);"))

    other.join()
    assert running(any_postgres, "pg_sleep") == []
    assert tables(session) == ["kept"]


RUN = """
import sys
from opsctl.systems.clock import SystemClock
from opsctl.systems.postgres_script import LibpqScripts
from opsctl.systems.script import Message
with LibpqScripts(sys.argv[1], clock=SystemClock()).session() as session:
    session.run(Message("CREATE TABLE torn (a int); SELECT pg_sleep(60)"))
"""


def test_a_runner_that_was_killed_leaves_nobody_at_work(any_postgres: Database) -> None:
    child = subprocess.Popen([sys.executable, "-c", RUN, any_postgres.url])
    wait_for(lambda: running(any_postgres, "pg_sleep"), 20, "the file to run")

    child.kill()

    child.wait(timeout=10)
    wait_for(lambda: not running(any_postgres, "pg_sleep"), 10, "the server to notice")
    with scripts(any_postgres).session() as session:
        assert tables(session) == []


def test_a_server_that_hangs_up_is_no_answer(session: ScriptSession) -> None:
    with pytest.raises(UnreachableError, match="lost PostgreSQL"):
        session.run(message("SELECT pg_terminate_backend(pg_backend_pid())"))


def test_a_server_that_falls_silent_is_given_up(own_postgres: PostgresServer) -> None:
    with scripts(own_postgres.admin, query_s=0.3).session() as session:
        own_postgres.freeze()

        with pytest.raises(UnreachableError, match="lost PostgreSQL"):
            session.query("SELECT 1")

        own_postgres.thaw()


@pytest.mark.parametrize("where", ["black_hole", "dead_address", "full_backlog"])
def test_a_connection_that_cannot_be_had_is_given_up(
    request: pytest.FixtureRequest, where: str
) -> None:
    address = request.getfixturevalue(where)
    url = f"postgresql://me:hush@{address.host}:{address.port}/db"

    with (
        pytest.raises(UnreachableError) as caught,
        LibpqScripts(url, clock=SystemClock(), connect_s=0.3).session(),
    ):
        pass

    assert caught.value.what == (
        f"cannot connect to PostgreSQL at {address.host}:{address.port}/db"
    )


def test_a_wrong_password_is_a_wrong_setting(postgres: Database) -> None:
    url = postgres.url.replace("p%40ss", "wrong")

    with (
        pytest.raises(SettingsError, match="does not let this user in") as caught,
        LibpqScripts(url, clock=SystemClock()).session(),
    ):
        pass

    assert "wrong" not in f"{caught.value.what} {caught.value.why}"


@pytest.mark.parametrize("dsn", ["", "nonsense", "postgresql://u:hush@@h/db", "hush=hush"])
def test_an_address_that_cannot_be_read_is_not_shown(dsn: str) -> None:
    with pytest.raises(SettingsError) as caught:
        LibpqScripts(dsn, clock=SystemClock())

    assert "hush" not in f"{caught.value.what} {caught.value.why} {caught.value.hint}"


def test_another_database_of_the_same_server_is_beside(postgres: Database) -> None:
    with scripts(postgres).beside("template1").session() as session:
        found = session.query("SELECT current_database()::text")

    assert found == [("template1",)]


def test_a_pooler_is_noticed(postgres: Database, pgbouncer: Database) -> None:
    with scripts(postgres).session() as direct, scripts(pgbouncer).session() as pooled:
        found = (direct.is_pooled, pooled.is_pooled)

    assert found == (False, True)


def test_nothing_leaks_through_a_pooler(pgbouncer: Database) -> None:
    leak = "SELECT set_config('search_path', '', false); SET ROLE pg_monitor"
    with scripts(pgbouncer).session() as session:
        session.run(message(f"CREATE TABLE a (a int); {leak}"))

        refusal(session, message(f"{leak}; SELECT 1/0"))

    with pgbouncer.connect() as other:
        found = other.execute("SELECT current_user::text, count(*) FROM a").fetchall()
    assert found == [("postgres", 0)]


def test_what_others_left_in_a_pool_does_not_reach_a_file(pgbouncer: Database) -> None:
    with pgbouncer.connect() as other:
        other.execute("SELECT set_config('search_path', '', false)")

    with scripts(pgbouncer).session() as session:
        session.run(message("CREATE TABLE a (a int)"))

        assert tables(session) == ["a"]


def test_neither_the_driver_nor_a_web_of_modules_is_loaded() -> None:
    look = (
        "import sys, opsctl.systems.postgres_script;"
        "print([name for name in ('psycopg', 'asyncio', 'pydantic') if name in sys.modules])"
    )

    shown = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)

    assert shown.stdout.strip() == "[]"
