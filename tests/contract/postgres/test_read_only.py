from collections.abc import Iterator

import pytest

from opsctl.errors import OpsctlError, RefusedError
from opsctl.systems.clock import SystemClock
from opsctl.systems.postgres.client import PostgresSession, PsycopgPostgres
from opsctl.systems.postgres.errors import StatementError
from tests.engines.databases import Database


@pytest.fixture
def session(postgres: Database) -> Iterator[PostgresSession]:
    with PsycopgPostgres(postgres.url, clock=SystemClock()).session() as writable:
        writable.execute("CREATE TABLE ticks (id int PRIMARY KEY, price numeric)")
        yield writable


@pytest.fixture
def reader(postgres: Database, session: PostgresSession) -> Iterator[PostgresSession]:
    session.execute("INSERT INTO ticks VALUES (1, 10)")
    with PsycopgPostgres(postgres.url, clock=SystemClock()).session(read_only=True) as reading:
        yield reading


@pytest.mark.parametrize(
    "attempts",
    [
        ["INSERT INTO ticks VALUES (2, 2)"],
        ["DROP TABLE ticks"],
        ["SET default_transaction_read_only = off", "DELETE FROM ticks"],
        ["SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE", "DELETE FROM ticks"],
        ["BEGIN READ WRITE", "DELETE FROM ticks"],
        ["SET TRANSACTION READ WRITE", "DELETE FROM ticks"],
        ["SELECT set_config('transaction_read_only', 'off', false)", "DELETE FROM ticks"],
        ["COMMIT", "DELETE FROM ticks"],
        ["COMMIT AND CHAIN", "SET TRANSACTION READ WRITE", "DELETE FROM ticks"],
        ["ROLLBACK", "BEGIN READ WRITE", "DELETE FROM ticks", "COMMIT"],
        ["COMMIT; BEGIN READ WRITE; DELETE FROM ticks; COMMIT"],
        ["DO $$ BEGIN SET TRANSACTION READ WRITE; DELETE FROM ticks; END $$"],
        ["DO $$ BEGIN COMMIT; SET TRANSACTION READ WRITE; DELETE FROM ticks; COMMIT; END $$"],
        ["WITH gone AS (DELETE FROM ticks RETURNING 1) SELECT * FROM gone"],
        ["RESET ALL", "DELETE FROM ticks"],
        ["DISCARD ALL", "DELETE FROM ticks"],
    ],
    ids=lambda attempts: attempts[0],
)
@pytest.mark.parametrize("together", [False, True], ids=["alone", "in a transaction"])
def test_a_read_only_session_cannot_be_talked_into_writing(
    reader: PostgresSession, session: PostgresSession, attempts: list[str], *, together: bool
) -> None:
    with pytest.raises(OpsctlError):
        persuade(reader, attempts, together=together)

    assert session.query("SELECT id, price FROM ticks") == [(1, 10)]
    assert session.query("SELECT to_regclass('ticks') IS NOT NULL") == [(True,)]


def persuade(reader: PostgresSession, attempts: list[str], *, together: bool) -> None:
    """Go on after each refusal, as a stubborn caller would; fail with the last one."""
    refusals: list[OpsctlError] = []
    try:
        if together:
            with reader.transaction():
                insist(reader, attempts, refusals)
        else:
            insist(reader, attempts, refusals)
    except OpsctlError as refusal:
        refusals.append(refusal)
    raise refusals[-1]


def insist(reader: PostgresSession, attempts: list[str], refusals: list[OpsctlError]) -> None:
    for attempt in attempts:
        try:
            reader.execute(attempt)
        except OpsctlError as refusal:
            refusals.append(refusal)


def test_a_write_in_a_read_only_session_is_refused_with_exit_5(reader: PostgresSession) -> None:
    with pytest.raises(RefusedError, match="is opened read-only") as caught:
        reader.execute("DELETE FROM ticks")

    assert caught.value.exit_code == 5
    assert reader.query("SELECT price FROM ticks WHERE id = %s", (1,)) == [(10,)]


def test_a_database_opened_for_reading_has_no_writing_session(
    postgres: Database, session: PostgresSession
) -> None:
    database = PsycopgPostgres(postgres.url, clock=SystemClock(), read_only=True)

    with database.session(read_only=False) as reading, pytest.raises(RefusedError):
        reading.execute("INSERT INTO ticks VALUES (1, 1)")

    assert session.query("SELECT * FROM ticks") == []


@pytest.mark.parametrize(
    "statement", ["SELECT pg_advisory_lock(7)", "NOTIFY ticks", "SELECT pg_reload_conf()"]
)
def test_what_postgres_calls_reading_is_not_stopped(
    reader: PostgresSession, statement: str
) -> None:
    """Stands here so that nobody takes the guard for more than it is."""
    reader.execute(statement)


@pytest.mark.parametrize(
    "statement", ["ALTER SYSTEM SET work_mem = '7MB'", "CREATE TEMPORARY TABLE scratch (id int)"]
)
def test_what_needs_a_writing_transaction_is_refused(
    reader: PostgresSession, statement: str
) -> None:
    with pytest.raises((RefusedError, StatementError)):
        reader.execute(statement)
