"""What only a server can do, and what goes wrong only there: PostgreSQL 15 and 17."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from opsctl.errors import BusyError, OpsctlError
from opsctl.migrate.model import (
    ApplyOptions,
    BusyMigrationError,
    MigrationError,
    MigrationState,
    RefusedMigrationError,
)
from opsctl.migrate.pending import open_pending_run
from opsctl.migrate.preview import preview_run
from opsctl.systems.postgres.sqlstates import RETRYABLE
from tests.engines.databases import Database
from tests.migration_setup import MigrationSetup, set_up_migrations
from tests.waiting import wait_for

A = "CREATE TABLE a (id integer PRIMARY KEY, body text);\n"
ALONE = "-- opsctl: no-transaction\n"
INDEX = f"{ALONE}CREATE UNIQUE INDEX CONCURRENTLY a_body ON a (body);\n"


def together(*calls: Callable[[], object]) -> list[OpsctlError]:
    """Run all at once; collect what failed."""
    errors: list[OpsctlError] = []

    def run(call: Callable[[], object]) -> None:
        try:
            call()
        except OpsctlError as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return errors


def test_copy_data_is_loaded(server: MigrationSetup) -> None:
    server.write("001_a.sql", f"{A}COPY a FROM stdin;\n1\tone; -- x\n2\t\\N\n\\.\nSELECT 1;\n")

    server.apply()

    assert server.query("SELECT * FROM a ORDER BY id") == [(1, "one; -- x"), (2, None)]


def test_a_wrong_line_of_data_is_named(server: MigrationSetup) -> None:
    server.write("001_a.sql", f"{A}COPY a FROM stdin;\n1\tone\nx\ttwo\n\\.\n")

    with pytest.raises(MigrationError, match=r"^001_a\.sql:4:1: "):
        server.apply()

    assert server.tables() == []


def test_an_error_in_a_body_names_its_line(server: MigrationSetup) -> None:
    text = f"{A}DO $$\nBEGIN\n  PERFORM 1;\n  PERFORM 1/0;\nEND $$;\n"
    server.write("001_a.sql", text)

    with pytest.raises(MigrationError, match=r"^001_a\.sql:5:3: division by zero") as failed:
        server.apply()

    assert "SQLSTATE 22012; statement 2 of 2" in failed.value.why


def test_letters_of_several_bytes_do_not_move_the_caret(server: MigrationSetup) -> None:
    server.write("001_a.sql", "/* 가격 é */ SELECT '값', nope;\n")

    with pytest.raises(MigrationError, match=r"^001_a\.sql:1:24: ") as failed:
        server.apply()

    line, caret = failed.value.excerpt
    assert line == "1 | /* 가격 é */ SELECT '값', nope;"
    # Three wide letters stand before the place.
    assert len(caret) - 1 == line.index("nope") + 3


def test_what_a_file_sets_is_gone_in_the_next(server: MigrationSetup) -> None:
    server.execute(
        "DO $$ BEGIN CREATE ROLE other_role_of_test; EXCEPTION WHEN duplicate_object THEN END $$"
    )
    text = "SELECT pg_catalog.set_config('search_path', '', false);\nSET ROLE other_role_of_test;\n"
    server.write("001_a.sql", text)
    server.write("002_b.sql", A)

    server.apply()

    assert server.tables() == ["a"]


def test_two_runners_on_a_fresh_database_apply_each_file_once(server: MigrationSetup) -> None:
    for number in range(1, 31):
        server.write(f"{number:03}_t.sql", f"CREATE TABLE t{number} (id integer);\n")

    errors = together(*[server.apply] * 4)

    assert errors == []
    assert server.rows() == list(range(1, 31))
    assert len(server.tables()) == 30


def test_a_runner_that_waits_too_long_names_the_other_runner(server: MigrationSetup) -> None:
    server.write("001_a.sql", A)
    with (
        server.context.dialect.scripts.session() as other,
        server.context.dialect.hold_runner_lock(other, wait_s=0),
        pytest.raises(BusyError) as busy,
    ):
        server.with_wait_limits(runner_timeout_s=0.2).apply()

    assert busy.value.exit_code == 75
    assert f"pid {other.pid} (postgres, opsctl" in busy.value.why
    assert "since" in busy.value.why


def test_a_lock_that_is_released_in_time_is_waited_for_and_reported(server: MigrationSetup) -> None:
    server.write("001_a.sql", A)
    server.apply()
    server.write("002_b.sql", "-- opsctl: lock_timeout=200ms\nALTER TABLE a ADD c integer;\n")
    with server.context.dialect.scripts.session() as other:
        other.query("BEGIN")
        other.query("LOCK TABLE a IN ACCESS SHARE MODE")
        runner = threading.Thread(target=server.with_wait_limits(retries=50).apply)
        runner.start()
        retried = wait_for(
            lambda: [e for e in server.events if e.event == "retrying" and e.blockers],
            60,
            "a retry",
        )
        other.query("COMMIT")
        runner.join(60)

    assert f"pid {other.pid} (postgres, opsctl" in retried[0].blockers[0]
    assert "LOCK TABLE a IN ACCESS SHARE MODE" in retried[0].blockers[0]
    assert server.rows() == [1, 2]


def test_a_lock_that_stays_ends_the_run_and_names_its_holder(server: MigrationSetup) -> None:
    server.write("001_a.sql", A)
    server.apply()
    server.write("002_b.sql", "-- opsctl: lock_timeout=2s\nALTER TABLE a ADD c integer;\n")
    with server.context.dialect.scripts.session() as other:
        other.query("BEGIN")
        other.query("SELECT * FROM a")
        with pytest.raises(BusyMigrationError) as busy:
            server.with_wait_limits(retries=1).apply()
        other.query("COMMIT")

    assert busy.value.exit_code == 75
    assert f"held by pid {other.pid}" in busy.value.why
    assert "tried 2 times" in busy.value.why
    assert server.rows() == [1]


@pytest.mark.parametrize("sqlstate", sorted(RETRYABLE))
def test_a_file_is_retried_after_every_retryable_sqlstate(
    server: MigrationSetup, sqlstate: str
) -> None:
    # A sequence keeps its value when the transaction is rolled back.
    server.execute("CREATE SEQUENCE attempts")
    fails_once = (
        "DO $$ BEGIN IF nextval('attempts') = 1 THEN\n"
        f"RAISE EXCEPTION 'once' USING ERRCODE = '{sqlstate}'; END IF; END $$;\n"
    )
    server.write("001_a.sql", f"{A}{fails_once}")

    server.apply()

    assert [event.event for event in server.events] == ["retrying", "applied"]
    assert server.rows() == [1]


def test_a_statement_for_outside_of_a_transaction_is_refused_before_anything_runs(
    server: MigrationSetup,
) -> None:
    server.write("001_a.sql", A)
    server.write("002_i.sql", "CREATE INDEX CONCURRENTLY i ON a (body);\n")

    with pytest.raises(RefusedMigrationError, match=r"^002_i\.sql:1:1") as refused:
        server.apply()

    assert "no-transaction" in refused.value.hint
    assert server.tables() == []


def test_what_only_the_server_refuses_is_rolled_back_with_a_hint(
    server: MigrationSetup,
) -> None:
    procedure = "CREATE PROCEDURE p() LANGUAGE plpgsql AS $$ BEGIN COMMIT; END $$;\nSELECT 1;\n"
    server.write("001_a.sql", f"{A}{procedure}DO $$ BEGIN EXECUTE 'VACUUM a'; END $$;\n")

    with pytest.raises(MigrationError, match=r"^001_a\.sql:4:") as failed:
        server.apply()

    assert "SQLSTATE 25001; statement 4 of 4" in failed.value.why
    assert "no-transaction" in failed.value.hint
    assert server.tables() == []


def test_a_new_enum_value_used_at_once_is_explained(server: MigrationSetup) -> None:
    server.write("001_a.sql", "CREATE TYPE mood AS ENUM ('sad');\n")
    server.apply()
    server.write("002_b.sql", "ALTER TYPE mood ADD VALUE 'ok';\nSELECT 'ok'::mood;\n")

    with pytest.raises(MigrationError, match=r"^002_b\.sql:2:8") as failed:
        server.apply()

    assert failed.value.facts["sqlstate"] == "55P04"
    assert failed.value.hint


def test_a_file_without_a_transaction_needs_the_setting_and_one_statement(
    server: MigrationSetup,
) -> None:
    server.write("001_a.sql", A)
    server.write("002_i.sql", INDEX)
    with pytest.raises(RefusedMigrationError, match="002_i"):
        server.apply()
    admitted = server.with_options(allow_non_transactional=True)
    server.write("003_two.sql", f"{ALONE}VACUUM a;\nVACUUM a;\n")
    with pytest.raises(RefusedMigrationError, match="003_two"):
        admitted.apply()
    server.write("003_two.sql", f"{ALONE}VACUUM a;\n")

    admitted.apply()

    assert server.states() == [MigrationState.APPLIED] * 3
    assert server.query(
        "SELECT indisvalid FROM pg_index WHERE indexrelid = 'a_body'::regclass"
    ) == [(True,)]


def test_an_index_that_fails_half_way_is_named_and_resumed(server: MigrationSetup) -> None:
    admitted = server.with_options(allow_non_transactional=True)
    server.write("001_a.sql", f"{A}INSERT INTO a VALUES (1, 'x'), (2, 'x');\n")
    server.write("002_i.sql", INDEX)

    with pytest.raises(MigrationError) as failed:
        admitted.apply()
    assert failed.value.facts["invalid_index"] == "public.a_body"
    assert "--resume" in failed.value.hint
    assert server.states() == [MigrationState.APPLIED, MigrationState.INTERRUPTED]
    with pytest.raises(RefusedMigrationError, match=r"002_i\.sql is interrupted"):
        admitted.apply()
    server.execute("DELETE FROM a WHERE id = 2")

    admitted.apply(ApplyOptions(resume=True))

    assert server.states() == [MigrationState.APPLIED] * 2
    assert server.query("SELECT count(*) FROM pg_index WHERE NOT indisvalid") == [(0,)]


def test_a_statement_that_finished_before_its_runner_died_is_only_recorded(
    server: MigrationSetup,
) -> None:
    admitted = server.with_options(allow_non_transactional=True)
    server.write("001_a.sql", A)
    server.write("002_i.sql", INDEX)
    admitted.apply()
    server.execute("UPDATE opsctl.opsctl_migrations SET finished = false WHERE version = 2")

    admitted.apply(ApplyOptions(resume=True))

    assert server.states() == [MigrationState.APPLIED] * 2


def test_a_statement_that_another_runner_executes_is_waited_for(server: MigrationSetup) -> None:
    admitted = server.with_options(allow_non_transactional=True)
    server.write("001_a.sql", A)
    server.write("002_i.sql", INDEX)
    admitted.apply()
    unfinished = "UPDATE opsctl.opsctl_migrations SET finished = {} WHERE version = 2"
    server.execute(unfinished.format("false"))
    errors: list[OpsctlError] = []
    with server.context.dialect.scripts.session() as other:
        with server.context.dialect.hold_runner_lock(other, wait_s=0):
            waiting = threading.Thread(target=lambda: errors.extend(together(admitted.apply)))
            waiting.start()
            tries = (
                "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%try_advisory%'"
                f" AND pid NOT IN (pg_backend_pid(), {other.pid})"
            )
            wait_for(lambda: server.query(tries) > [(0,)], 60, "the second runner to wait")
            server.execute(unfinished.format("true"))
        waiting.join(60)

    assert errors == []
    assert server.states() == [MigrationState.APPLIED] * 2


def test_a_failed_non_transactional_statement_leaves_no_row(server: MigrationSetup) -> None:
    admitted = server.with_options(allow_non_transactional=True)
    server.write("001_i.sql", INDEX)

    with pytest.raises(MigrationError, match=r"^001_i\.sql:2:"):
        admitted.apply()

    assert server.rows() == []


def test_a_rehearsal_takes_real_locks_and_leaves_nothing(server: MigrationSetup) -> None:
    server.write("001_a.sql", A)
    server.apply()
    server.write("002_b.sql", "ALTER TABLE a ADD c integer;\n")
    server.write("003_c.sql", "UPDATE a SET c = 1;\nCREATE TABLE d (id integer);\n")

    with open_pending_run(server.context, ApplyOptions()) as pending_run:
        report = preview_run(pending_run, rehearse=True)

    assert [file.file for file in report.files] == ["002_b.sql", "003_c.sql"]
    assert ("a", "ACCESS EXCLUSIVE") in [(lock.table, lock.lock) for lock in report.files[0].locks]
    assert server.tables() == ["a"]
    assert server.rows() == [1]


def test_a_preview_names_locks_rows_and_sizes(server: MigrationSetup) -> None:
    server.write("001_a.sql", f"{A}INSERT INTO a SELECT i FROM generate_series(1, 1000) AS i;\n")
    server.apply()
    server.execute("ANALYZE a")
    server.write("002_b.sql", "ALTER TABLE a ADD c integer;\n")

    with open_pending_run(server.context, ApplyOptions()) as pending_run:
        (file,) = preview_run(pending_run, rehearse=False).files

    (lock,) = file.locks
    assert (lock.table, lock.lock, lock.rows) == ("a", "ACCESS EXCLUSIVE", 1000)
    assert lock.size_bytes
    assert file.statements == ("ALTER TABLE a ADD c integer",)


@pytest.fixture
def through_pooler(pgbouncer: Database, tmp_path: Path) -> MigrationSetup:
    return set_up_migrations("pgbouncer", pgbouncer.url, tmp_path / "migrations")


def test_runners_through_a_pooler_apply_each_file_once(through_pooler: MigrationSetup) -> None:
    for number in range(1, 21):
        through_pooler.write(f"{number:03}_t.sql", f"CREATE TABLE t{number} (id integer);\n")

    errors = together(*[through_pooler.apply] * 3)

    assert errors == []
    assert through_pooler.rows() == list(range(1, 21))


def test_nothing_leaks_through_a_pooler(through_pooler: MigrationSetup, postgres: Database) -> None:
    through_pooler.write("001_a.sql", "SELECT set_config('search_path', 'nowhere', false);\n")

    through_pooler.apply()

    shown = {through_pooler.query("SHOW search_path")[0][0] for _ in range(6)}
    assert shown == {'"$user", public'}
    with postgres.connect() as connection:
        mine = "database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        locks = connection.execute(
            f"SELECT * FROM pg_locks WHERE locktype = 'advisory' AND {mine}".encode()
        ).fetchall()
    assert locks == []


def test_a_non_transactional_statement_is_refused_through_a_pooler(
    through_pooler: MigrationSetup,
) -> None:
    through_pooler.write("001_a.sql", A)
    through_pooler.write("002_i.sql", INDEX)

    with pytest.raises(RefusedMigrationError, match="002_i") as refused:
        through_pooler.with_options(allow_non_transactional=True).apply()

    assert "pooler" in refused.value.why
    assert through_pooler.rows() == []


def test_a_runner_behind_a_pooler_gives_up_in_time_and_says_who(
    through_pooler: MigrationSetup, postgres: Database
) -> None:
    through_pooler.write("001_a.sql", "-- opsctl: lock_timeout=100ms\nSELECT 1;\n")
    through_pooler.write("002_b.sql", "-- opsctl: lock_timeout=100ms\nSELECT 1;\n")
    through_pooler.apply(ApplyOptions(step=1))
    with postgres.connect() as other, other.transaction():
        pid = other.info.backend_pid
        other.execute(
            "INSERT INTO opsctl.opsctl_migrations (version, name, checksum) VALUES (2, 'b', 'x')"
        )
        with pytest.raises(BusyMigrationError) as busy:
            through_pooler.with_wait_limits(runner_timeout_s=0.3).apply()

    assert busy.value.exit_code == 75
    assert f"pid {pid} (postgres" in busy.value.why
