"""A statement without a transaction that finds something locked, on PostgreSQL 15 and 17."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from opsctl.migrate.model import ApplyOptions, BusyMigrationError, MigrationError, MigrationState
from opsctl.migrate.pending import open_pending_run
from opsctl.migrate.run_model import MigrationEvent
from opsctl.systems.sql_scripts import ScriptError, ScriptSession
from tests.migration_setup import MigrationSetup

HEAD = "-- opsctl: no-transaction\n-- opsctl: lock_timeout=2s\n"
INDEX = f"{HEAD}CREATE INDEX CONCURRENTLY a_body ON a (body);\n"
VALID = "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('a_body')"
# Another table: only the age of the transaction is in the way.
OLD = "BEGIN ISOLATION LEVEL REPEATABLE READ", "SELECT * FROM b"
WRITING = "BEGIN", "INSERT INTO a VALUES (3, 'z')"
CHANGING = "BEGIN", "LOCK TABLE a IN SHARE UPDATE EXCLUSIVE MODE"


@pytest.fixture
def tables(server: MigrationSetup) -> MigrationSetup:
    text = "CREATE TABLE a (id integer, body text);\nCREATE TABLE b (id integer);\n"
    server.write("001_a.sql", f"{text}INSERT INTO a VALUES (1, 'x'), (2, 'x');\n")
    server.apply()
    return server.with_options(allow_non_transactional=True).with_wait_limits(retries=1)


@contextmanager
def someone(server: MigrationSetup, *statements: str) -> Iterator[ScriptSession]:
    with server.context.dialect.scripts.session() as other:
        for statement in statements:
            other.query(statement)
        yield other


def applied(server: MigrationSetup, *, on_retry: Callable[[], object]) -> list[MigrationEvent]:
    events: list[MigrationEvent] = []

    def report(event: MigrationEvent) -> None:
        events.append(event)
        if event.event == "retrying":
            on_retry()

    with open_pending_run(server.context, ApplyOptions()) as pending_run:
        pending_run.apply(report)
    return events


def test_an_index_build_that_meets_a_lock_is_retried_and_reported(tables: MigrationSetup) -> None:
    tables.write("002_i.sql", INDEX)

    with someone(tables, *CHANGING) as other:
        events = applied(tables, on_retry=lambda: other.query("COMMIT"))

    assert [event.event for event in events] == ["retrying", "applied"]
    assert f"pid {other.pid} (postgres" in events[0].blockers[0]
    assert tables.query(VALID) == [(True,)]
    assert tables.states() == [MigrationState.APPLIED] * 2


@pytest.mark.parametrize("holding", [OLD, WRITING])
def test_the_invalid_index_of_an_attempt_is_dropped_before_the_next(
    tables: MigrationSetup, holding: tuple[str, ...]
) -> None:
    tables.write("002_i.sql", INDEX)

    with someone(tables, *holding) as other:
        events = applied(tables, on_retry=lambda: other.query("COMMIT"))

    assert [event.event for event in events] == ["retrying", "resuming", "applied"]
    assert "public.a_body" in events[1].note
    assert tables.query(VALID) == [(True,)]


def test_an_index_build_that_gives_up_drops_its_invalid_index(tables: MigrationSetup) -> None:
    tables.write("002_i.sql", INDEX)

    with someone(tables, *OLD) as other, pytest.raises(BusyMigrationError) as busy:
        tables.apply()

    assert busy.value.exit_code == 75
    assert f"held by pid {other.pid}" in busy.value.why
    assert "left nothing behind" in busy.value.why
    assert tables.query(VALID) == []
    assert tables.states() == [MigrationState.APPLIED, MigrationState.PENDING]


def test_an_index_that_cannot_be_dropped_either_is_named_and_resumed_later(
    tables: MigrationSetup,
) -> None:
    tables.write("002_i.sql", INDEX)
    with someone(tables, *WRITING), pytest.raises(BusyMigrationError) as busy:
        tables.apply()
    assert busy.value.facts["invalid_index"] == "public.a_body"
    assert "opsctl migrate --resume" in busy.value.hint
    assert tables.states() == [MigrationState.APPLIED, MigrationState.INTERRUPTED]

    tables.apply(ApplyOptions(resume=True))

    assert tables.query(VALID) == [(True,)]
    assert tables.states() == [MigrationState.APPLIED] * 2


def test_an_invalid_index_of_someone_else_is_neither_dropped_nor_taken_for_done(
    tables: MigrationSetup,
) -> None:
    with pytest.raises(ScriptError):
        tables.execute("CREATE UNIQUE INDEX CONCURRENTLY a_body ON a (body)")
    tables.write("002_i.sql", INDEX.replace("a_body", "IF NOT EXISTS a_body"))

    with pytest.raises(MigrationError, match=r"public\.a_body already exists and is invalid"):
        tables.apply()

    assert tables.query(VALID) == [(False,)]
    assert tables.states() == [MigrationState.APPLIED, MigrationState.PENDING]
