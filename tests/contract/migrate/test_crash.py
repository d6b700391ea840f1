"""A server that crashes right after a run, on PostgreSQL: what was said to be applied is there."""

import threading
from pathlib import Path

import pytest

from opsctl.errors import UnreachableError
from opsctl.migrate.model import MigrationError
from tests.engines.postgres import PostgresServer
from tests.migration_setup import MigrationSetup, set_up_migrations
from tests.waiting import wait_for

FILES = 5
ASLEEP = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'PgSleep'"


@pytest.fixture
def forgetful(own_postgres: PostgresServer, tmp_path: Path) -> MigrationSetup:
    """Its background writer would take so long that a crash finds what nobody waited for."""
    site = set_up_migrations("postgres", own_postgres.admin.url, tmp_path / "migrations")
    site.execute("ALTER SYSTEM SET wal_writer_delay = '10s'")
    site.query("SELECT pg_reload_conf()")
    for number in range(1, FILES + 1):
        site.write(f"{number:03}_t.sql", f"CREATE TABLE t{number} (id integer);\n")
    return site


def lost(site: MigrationSetup) -> None:
    with pytest.raises(UnreachableError):
        site.apply()


def test_what_a_run_has_applied_survives_a_crash(
    forgetful: MigrationSetup, own_postgres: PostgresServer
) -> None:
    forgetful.apply()

    own_postgres.kill()
    own_postgres.start()
    assert forgetful.rows() == [1, 2, 3, 4, 5]
    assert forgetful.tables() == ["t1", "t2", "t3", "t4", "t5"]


def test_files_applied_before_a_failed_one_survive_a_crash(
    forgetful: MigrationSetup, own_postgres: PostgresServer
) -> None:
    forgetful.write("004_t.sql", "CREATE TABLE t1 (id integer);\n")
    with pytest.raises(MigrationError):
        forgetful.apply()

    own_postgres.kill()
    own_postgres.start()
    assert forgetful.rows() == [1, 2, 3]


def test_a_session_lost_in_the_middle_of_a_file_is_reported(forgetful: MigrationSetup) -> None:
    forgetful.write("006_t.sql", "SELECT pg_terminate_backend(pg_backend_pid());\n")

    with pytest.raises(UnreachableError, match=r"006_t\.sql"):
        forgetful.apply()

    assert forgetful.rows() == [1, 2, 3, 4, 5]


def test_a_crash_in_between_leaves_tables_and_rows_alike(
    forgetful: MigrationSetup, own_postgres: PostgresServer
) -> None:
    forgetful.write("005_t.sql", "SELECT pg_sleep(60);\n")
    run = threading.Thread(target=lost, args=(forgetful,))
    run.start()
    wait_for(lambda: forgetful.query(ASLEEP) != [], deadline_s=60, what="the last file")

    own_postgres.kill()
    run.join(60)
    own_postgres.start()

    assert forgetful.rows() == list(range(1, len(forgetful.rows()) + 1))

    assert forgetful.tables() == [f"t{number}" for number in forgetful.rows()]
