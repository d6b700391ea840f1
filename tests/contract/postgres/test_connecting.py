"""A session that is interrupted, lost, never had, or pooled."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator

import pytest

from opsctl.errors import SettingsError, UnreachableError
from opsctl.systems.clock import SystemClock
from opsctl.systems.postgres.scripts import LibpqScripts
from opsctl.systems.sql_scripts import ScriptSession
from tests.engines.databases import Database
from tests.engines.postgres import PostgresServer
from tests.messages import message, refusal, running, scripts, tables
from tests.waiting import wait_for


@pytest.fixture
def session(any_postgres: Database) -> Iterator[ScriptSession]:
    with scripts(any_postgres).session() as session:
        session.run(message("CREATE TABLE kept (a int, b text)"))
        yield session


def test_an_interruption_stops_the_server_and_takes_all_back(
    any_postgres: Database, session: ScriptSession
) -> None:
    def interrupt() -> None:
        wait_for(lambda: running(any_postgres, "pg_sleep"), 60, "the file to run")
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
from opsctl.systems.postgres.scripts import LibpqScripts
from opsctl.systems.sql_scripts import ScriptBatch
with LibpqScripts(sys.argv[1], clock=SystemClock()).session() as session:
    session.run(ScriptBatch("CREATE TABLE torn (a int); SELECT pg_sleep(60)"))
"""


def test_a_killed_runner_leaves_no_session_running(any_postgres: Database) -> None:
    child = subprocess.Popen([sys.executable, "-c", RUN, any_postgres.url])
    wait_for(lambda: running(any_postgres, "pg_sleep"), 60, "the file to run")

    child.kill()

    child.wait(timeout=60)
    wait_for(lambda: not running(any_postgres, "pg_sleep"), 60, "the server to notice")
    with scripts(any_postgres).session() as session:
        assert tables(session) == []


def test_a_server_that_hangs_up_is_no_answer(session: ScriptSession) -> None:
    with pytest.raises(UnreachableError, match="lost the connection to PostgreSQL"):
        session.run(message("SELECT pg_terminate_backend(pg_backend_pid())"))


def test_a_server_that_stops_answering_fails_within_the_deadline(
    own_postgres: PostgresServer,
) -> None:
    with scripts(own_postgres.admin, query_s=1.5).session() as session:
        own_postgres.freeze()

        with pytest.raises(UnreachableError, match="lost the connection to PostgreSQL"):
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
        pytest.raises(SettingsError, match="does not accept the login") as caught,
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
        "import sys, opsctl.systems.postgres.scripts;"
        "print([name for name in ('psycopg', 'asyncio', 'pydantic') if name in sys.modules])"
    )

    shown = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)

    assert shown.stdout.strip() == "[]"


def last_value(postgres: Database, sequence: str) -> int:
    """Give 0 where nobody has drawn yet."""
    with scripts(postgres).session() as session:
        query = f"SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM {sequence}"
        return int(session.query(query)[0][0])


def test_what_was_asked_ahead_is_answered_once(postgres: Database) -> None:
    scripts_ = LibpqScripts(postgres.url, clock=SystemClock())
    with scripts_.session() as session:
        session.run(message("CREATE SEQUENCE asked"))
    scripts_.call_ahead("SELECT nextval('asked')")

    wait_for(lambda: last_value(postgres, "asked") == 1, 60, "the question to be asked")
    with scripts_.session() as session:
        first = session.query("SELECT nextval('asked')")
        second = session.query("SELECT nextval('asked')")

    assert (first, second) == ([(1,)], [(2,)])


# What a session does first, and what tells that it was done.
FIRST: dict[str, tuple[Callable[[ScriptSession], object], object]] = {
    "query": (lambda session: session.query("SELECT 7"), [(7,)]),
    "values": (lambda session: session.query("SELECT %(n)s::text", {"n": "7"}), [("7",)]),
    "run": (lambda session: session.run(message("CREATE TABLE made ()")), None),
    "alone": (lambda session: session.run_alone("CREATE TABLE made ()"), None),
    "rollback": (lambda session: session.rollback(), None),
}


@pytest.mark.parametrize("first", FIRST)
@pytest.mark.parametrize("asked", ["SELECT 1", "SELECT 1 / 0", "SELECT 1 FROM nowhere"])
def test_what_was_asked_ahead_for_nothing_disturbs_nobody(
    postgres: Database, asked: str, first: str
) -> None:
    scripts_ = LibpqScripts(postgres.url, clock=SystemClock())
    do, told = FIRST[first]
    scripts_.call_ahead(asked)

    with scripts_.session() as session:
        assert do(session) == told
        made = session.query("SELECT to_regclass('made') IS NOT NULL")
        again = session.query("SELECT 8")

    assert made == [(first in {"run", "alone"},)]
    assert again == [(8,)]


CALLED_FOR_NOTHING = """
import sys
from opsctl.systems.clock import SystemClock
from opsctl.systems.postgres.scripts import LibpqScripts
scripts = LibpqScripts(sys.argv[1], clock=SystemClock())
scripts.call_ahead("SELECT 1")
scripts.hang_up()
"""


def test_what_was_called_for_nothing_does_not_crash_the_end(postgres: Database) -> None:
    argv = [sys.executable, "-c", CALLED_FOR_NOTHING, postgres.url]

    ends = [subprocess.run(argv, timeout=60, check=False).returncode for _ in range(10)]

    assert ends == [0] * 10


def test_hanging_up_does_not_wait_for_a_server_that_never_answers(
    own_postgres: PostgresServer,
) -> None:
    clock = SystemClock()
    own_postgres.freeze()
    scripts_ = LibpqScripts(own_postgres.admin.url, clock=clock, connect_s=30.0)
    scripts_.call_ahead("SELECT 1")
    began = clock.steady()

    scripts_.hang_up()

    assert clock.steady() - began < 10
    own_postgres.thaw()
