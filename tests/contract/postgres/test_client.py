import contextlib
import logging
import re
import traceback
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from opsctl.errors import BusyError, OpsctlError, SettingsError, UnreachableError
from opsctl.systems.clock import SystemClock
from opsctl.systems.postgres.client import PostgresLimits, PostgresSession, PsycopgPostgres
from opsctl.systems.postgres.errors import StatementError
from tests.engines.addresses import Address
from tests.engines.databases import Database
from tests.engines.postgres import PostgresServer

CANARY = "c4n4ry-of-postgres"
SOON = PostgresLimits(connect_s=0.6, statement_s=0.3, lock_s=0.1, answer_s=0.3)
# Where the server answers: what is short is only what the test is about.
AMPLE = PostgresLimits(connect_s=20.0, statement_s=20.0, lock_s=0.1, answer_s=20.0)
# None of these would end by itself; the machine does other things as well.
IN_TIME_S = 20.0


def opened(url: str, limits: PostgresLimits = AMPLE) -> PsycopgPostgres:
    return PsycopgPostgres(url, clock=SystemClock(), limits=limits)


def failure_to_connect(url: str, limits: PostgresLimits = AMPLE) -> tuple[OpsctlError, float]:
    clock = SystemClock()
    began = clock.steady()
    with pytest.raises(OpsctlError) as caught, opened(url, limits).session():
        pass
    return caught.value, clock.steady() - began


@pytest.fixture
def session(postgres: Database) -> Iterator[PostgresSession]:
    with opened(postgres.url).session() as writable:
        writable.execute("CREATE TABLE ticks (id int PRIMARY KEY, price numeric)")
        yield writable


def test_a_query_returns_rows_for_its_parameters(session: PostgresSession) -> None:
    session.execute("INSERT INTO ticks VALUES (%s, %s), (%s, %s)", (1, 10, 2, 20))

    rows = session.query("SELECT id FROM ticks WHERE price > %(least)s", {"least": 15})

    assert rows == [(2,)]


def test_a_percent_sign_is_plain_without_parameters(session: PostgresSession) -> None:
    assert session.query("SELECT 'x' LIKE '%s'") == [(False,)]


def test_execute_counts_the_rows_it_touched(session: PostgresSession) -> None:
    assert session.execute("INSERT INTO ticks VALUES (1, 1), (2, 2)") == 2


def test_a_transaction_that_fails_leaves_nothing(session: PostgresSession) -> None:
    with contextlib.suppress(StatementError), session.transaction():
        session.execute("INSERT INTO ticks VALUES (1, 1)")
        session.execute("INSERT INTO ticks VALUES (1, 1)")

    assert session.query("SELECT * FROM ticks") == []


def test_a_table_with_a_hostile_name_is_only_a_table(session: PostgresSession) -> None:
    hostile = 'x"; DROP TABLE ticks; --'

    with pytest.raises(StatementError) as caught:
        session.query("SELECT * FROM {table}", names={"table": ("public", hostile)})

    assert caught.value.diagnosis.sqlstate == "42P01"
    assert session.query("SELECT count(*) FROM ticks") == [(0,)]


def test_facts_name_the_server_its_clock_and_its_extensions(
    postgres: Database, session: PostgresSession
) -> None:
    facts = session.facts()

    assert facts.version_number // 10_000 == int(re.split(r"\D", facts.version)[0])
    assert abs(facts.now - datetime.now(UTC)) < timedelta(seconds=5)
    assert (facts.in_recovery, facts.database, facts.user) == (
        False,
        postgres.dbname,
        postgres.user,
    )
    assert "plpgsql" in facts.extensions


def test_a_session_carries_our_name_and_limits(session: PostgresSession) -> None:
    settings = ("application_name", "statement_timeout", "lock_timeout", "tcp_user_timeout")

    shown = {name: session.query("SELECT current_setting(%s)", (name,))[0][0] for name in settings}

    assert shown["application_name"] == "opsctl"
    assert (shown["statement_timeout"], shown["lock_timeout"]) == ("20s", "100ms")


def test_options_of_the_address_stay_and_ours_win(postgres: Database) -> None:
    url = postgres.url + "?options=-c%20work_mem%3D7MB%20-c%20statement_timeout%3D0"

    with opened(url).session() as session:
        rows = session.query(
            "SELECT current_setting('work_mem'), current_setting('statement_timeout')"
        )

    assert rows == [("7MB", "20s")]


def test_a_statement_that_runs_too_long_is_stopped_by_the_server(postgres: Database) -> None:
    limits = replace(AMPLE, statement_s=0.5)
    with opened(postgres.url, limits).session() as session:
        with pytest.raises(StatementError, match="stopped a statement") as caught:
            session.query("SELECT pg_sleep(60)")

        assert caught.value.diagnosis.sqlstate == "57014"
        assert session.query("SELECT 1") == [(1,)]


def test_waiting_for_a_lock_ends_as_busy(postgres: Database, session: PostgresSession) -> None:
    with opened(postgres.url).session() as holder, holder.transaction():
        holder.execute("LOCK TABLE ticks")

        with pytest.raises(BusyError) as caught:
            session.query("SELECT * FROM ticks")

    assert caught.value.exit_code == 75


def test_a_failed_statement_says_where_and_what(session: PostgresSession) -> None:
    with pytest.raises(StatementError) as caught:
        session.execute("SELECT 1 FROM\n nowhere")

    said = caught.value.diagnosis
    assert (said.sqlstate, said.position) == ("42P01", 16)
    assert said.message == 'relation "nowhere" does not exist'
    assert caught.value.exit_code == 1


def test_a_duplicate_names_its_constraint(session: PostgresSession) -> None:
    session.execute("INSERT INTO ticks VALUES (1, 1)")

    with pytest.raises(StatementError) as caught:
        session.execute("INSERT INTO ticks VALUES (1, 1)")

    said = caught.value.diagnosis
    assert (said.sqlstate, said.table, said.constraint) == ("23505", "ticks", "ticks_pkey")


def test_a_state_that_someone_made_up_is_an_answer_to_a_statement(
    session: PostgresSession,
) -> None:
    with pytest.raises(StatementError) as caught:
        session.execute("DO $$ BEGIN RAISE EXCEPTION 'no ticks' USING ERRCODE = 'ZZ001'; END $$")

    said = caught.value.diagnosis
    assert (said.sqlstate, caught.value.why) == ("ZZ001", "no ticks")
    assert "PL/pgSQL function" in said.context


def test_missing_rights_say_so(postgres: Database, session: PostgresSession) -> None:
    session.execute("CREATE ROLE {role} LOGIN PASSWORD 'x'", names={"role": postgres.dbname})
    try:
        with session.transaction():
            session.execute("SET LOCAL ROLE {role}", names={"role": postgres.dbname})

            with pytest.raises(StatementError, match="does not allow") as caught:
                session.query("SELECT * FROM ticks")
            session.execute("ROLLBACK")
    finally:
        session.execute("DROP ROLE {role}", names={"role": postgres.dbname})

    assert "GRANT" in caught.value.hint


def test_a_wrong_password_is_a_setting(postgres: Database) -> None:
    url = f"postgresql://postgres:{CANARY}@{postgres.host}:{postgres.port}/{postgres.dbname}"

    error, _ = failure_to_connect(url)

    assert isinstance(error, SettingsError)
    assert "password authentication failed" in error.why


def test_a_database_that_is_not_there_is_a_setting(postgres: Database) -> None:
    error, _ = failure_to_connect(postgres.url.replace(postgres.dbname, "nowhere"))

    assert isinstance(error, SettingsError)
    assert error.what.endswith(f"{postgres.host}:{postgres.port}/nowhere")


def test_a_full_server_is_unreachable(postgres: Database) -> None:
    with opened(postgres.url).session() as session:
        session.execute("ALTER DATABASE {name} CONNECTION LIMIT 0", names={"name": postgres.dbname})
        session.execute("CREATE ROLE {role} LOGIN PASSWORD 'x'", names={"role": postgres.dbname})
    try:
        name = postgres.dbname
        error, _ = failure_to_connect(
            f"postgresql://{name}:x@{postgres.host}:{postgres.port}/{name}"
        )
    finally:
        with opened(postgres.url).session() as session:
            session.execute("DROP ROLE {role}", names={"role": postgres.dbname})

    assert isinstance(error, UnreachableError)
    assert "too many connections" in error.why


@pytest.mark.parametrize("kind", ["dead_address", "black_hole", "full_backlog"])
def test_an_address_that_does_not_answer_fails_in_time(
    request: pytest.FixtureRequest, kind: str
) -> None:
    address: Address = request.getfixturevalue(kind)

    url = f"postgresql://u:{CANARY}@{address.host}:{address.port}/db"
    error, took_s = failure_to_connect(url, SOON)

    assert isinstance(error, UnreachableError)
    assert error.exit_code == 7
    assert f"{address.host}:{address.port}/db" in error.what
    assert CANARY not in told(error)
    assert took_s < SOON.connect_s + IN_TIME_S


def test_a_name_that_no_one_knows_fails_in_time() -> None:
    error, took_s = failure_to_connect("postgresql://u@nowhere.invalid/db", SOON)

    assert isinstance(error, UnreachableError)
    assert "nowhere.invalid:5432/db" in error.what
    assert took_s < SOON.connect_s + IN_TIME_S


def test_the_next_host_is_asked_when_the_first_is_silent(
    postgres: Database, black_hole: Address
) -> None:
    both = f"{black_hole.host}:{black_hole.port},{postgres.host}:{postgres.port}"
    url = postgres.url.replace(f"{postgres.host}:{postgres.port}", both)

    with opened(url, replace(AMPLE, connect_s=4.0)).session() as session:
        assert session.query("SELECT 1") == [(1,)]


def test_a_unix_socket_works(postgres: Database) -> None:
    dsn = psycopg.conninfo.make_conninfo(
        host=str(postgres.socket_dir),
        port=postgres.port,
        user=postgres.user,
        password=postgres.password,
        dbname=postgres.dbname,
    )

    with opened(dsn).session() as session:
        assert session.query("SELECT 1") == [(1,)]


def test_a_server_that_freezes_in_a_statement_fails_in_time(own_postgres: PostgresServer) -> None:
    clock = SystemClock()

    limits = replace(AMPLE, statement_s=1.0, answer_s=1.0)
    with opened(own_postgres.admin.url, limits).session() as session:
        session.query("SELECT 1")
        own_postgres.freeze()
        began = clock.steady()
        with pytest.raises(UnreachableError, match="lost the connection to PostgreSQL"):
            session.query("SELECT 1")
        took_s = clock.steady() - began
        own_postgres.thaw()

    assert took_s < limits.statement_s + limits.answer_s + IN_TIME_S


def test_a_server_that_dies_is_unreachable(own_postgres: PostgresServer) -> None:
    with opened(own_postgres.admin.url).session() as session:
        session.query("SELECT 1")
        own_postgres.kill()

        with pytest.raises(UnreachableError) as caught:
            session.query("SELECT 1")

    assert caught.value.exit_code == 7


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://u:{CANARY} x@h/db",
        f"postgresql://u:p@{CANARY}@h/db",
        f"postgresql://u:{CANARY}/x@h/db",
        f"postgresql://u:12/{CANARY}@h/db",
        f"postgresql://u:%zz{CANARY}@h/db",
        CANARY,
        "",
    ],
)
def test_an_address_that_cannot_be_read_is_not_shown(url: str) -> None:
    with pytest.raises(SettingsError) as caught:
        opened(url)

    assert CANARY not in told(caught.value)


def test_the_password_is_nowhere_to_be_seen(
    postgres: Database, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with psycopg.connect(postgres.url, autocommit=True) as admin:
        admin.execute(f"CREATE ROLE {postgres.dbname} LOGIN PASSWORD '{CANARY}'")
    url = (
        f"postgresql://{postgres.dbname}:{CANARY}@{postgres.host}:{postgres.port}/{postgres.dbname}"
    )

    database = opened(url)
    with database.session() as session, pytest.raises(StatementError) as caught:
        session.query("SELECT * FROM nowhere")
    with psycopg.connect(postgres.url, autocommit=True) as admin:
        admin.execute(f"DROP ROLE {postgres.dbname}")

    seen = [repr(database), repr(session), told(caught.value), caplog.text]
    seen.append(Path("/proc/self/cmdline").read_text())
    assert not any(CANARY in text for text in seen)


def told(error: BaseException) -> str:
    """Show all that `-v` twice would show, and more."""
    words = [repr(vars(error)), *traceback.format_exception(error)]
    return "".join(words)
