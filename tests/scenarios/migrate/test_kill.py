"""SIGKILL at 100 random points of runs of 200 files: each is in with its row, or not at all."""

import json
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from tests.engines.databases import Database, create_database, drop_database
from tests.engines.postgres import PostgresServer
from tests.migration_setup import MigrationSetup
from tests.scenarios.conftest import Program
from tests.scenarios.migrate.conftest import Staged
from tests.waiting import wait_for

FORK_SERVER = Path(__file__).with_name("fork_server.py")
FILES = 200
RUNS, KILLS = 4, 25
AT_ONCE = 2
OTHERS = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
ROWS = "SELECT 't' || version FROM opsctl.opsctl_migrations"


@dataclass(frozen=True, slots=True)
class ForkServer:
    """A process that has all imports behind it, and forks one program after the other."""

    process: subprocess.Popen[str]
    directory: Path
    environ: dict[str, str]

    def run(self, *, lines: int | None = None, delay_s: float = 0.0) -> int:
        options = {"directory": str(self.directory), "environ": self.environ}
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps({**options, "lines": lines, "delay_s": delay_s}) + "\n")
        self.process.stdin.flush()
        return int(json.loads(self.process.stdout.readline())["status"])


@contextmanager
def fork_server(program: Program, environ: dict[str, str]) -> Iterator[ForkServer]:
    with subprocess.Popen(
        [sys.executable, FORK_SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield ForkServer(process, program.directory, program.environ | environ)
        assert process.stdin is not None
        process.stdin.close()
        process.wait(90)


def write_files(directory: Path) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    for number in range(1, FILES + 1):
        text = f"CREATE TABLE t{number} (id integer);\nINSERT INTO t{number} VALUES ({number});\n"
        (directory / f"{number:03}_t{number}.sql").write_text(text)


def look(connection: psycopg.Connection) -> tuple[set[str], set[str]]:
    """List tables and rows, once the server has seen that its client is gone."""
    wait_for(lambda: connection.execute(OTHERS).fetchone() == (0,), 60, "the server to let go")
    tracked = connection.execute("SELECT to_regclass('opsctl.opsctl_migrations')").fetchone()
    rows = connection.execute(ROWS).fetchall() if tracked != (None,) else []
    tables = connection.execute(TABLES).fetchall()
    return {name for (name,) in tables}, {name for (name,) in rows}


def survive(program: Program, database: Database, seed: int) -> int:
    """Kill run after run, look each time, and let the last one finish; count the kills."""
    chance = random.Random(seed)  # noqa: S311 - chance, not secrecy
    environ = {
        "DATABASE_URL": database.url,
        # Each a machine of its own, that waits for no lock of another.
        "OPSCTL_STATE_DIR": str(program.directory.parent / f"state{seed}"),
    }
    killed = 0
    with fork_server(program, environ) as runs, database.connect() as connection:
        for _ in range(KILLS):
            status = runs.run(lines=chance.randrange(6), delay_s=chance.random() * 0.003)
            killed += status == signal.SIGKILL
            tables, rows = look(connection)
            assert tables == rows
        assert runs.run() == 0
        tables, rows = look(connection)
    assert tables == rows
    assert len(rows) == FILES
    return killed


@pytest.mark.timeout(600)
def test_a_kill_at_100_points_leaves_each_file_with_its_row_or_without(
    opsctl: Program, postgres_server: PostgresServer
) -> None:
    opsctl.write("configs/opsctl.yaml", "project: {name: ticks}\n")
    write_files(opsctl.directory / "migrations")
    databases = [create_database(postgres_server.admin) for _ in range(RUNS)]

    with ThreadPoolExecutor(AT_ONCE) as pool:
        killed = [*pool.map(survive, [opsctl] * RUNS, databases, range(RUNS))]

    assert sum(killed) >= RUNS * KILLS * 0.9
    for database in databases:
        drop_database(postgres_server.admin, database.dbname)


def tables_and_rows(place: MigrationSetup) -> tuple[set[str], set[str]]:
    tables = {name for name in place.tables() if name.startswith("t")}
    return tables, {f"t{version}" for version in place.rows()}


@pytest.mark.parametrize("kind", ["sqlite", "duckdb"])
def test_a_killed_run_of_an_embedded_database_is_whole(staged: Staged, kind: str) -> None:
    stage = staged(kind)
    write_files(stage.setup.directory)
    chance = random.Random(7)  # noqa: S311 - chance, not secrecy
    environ = {**stage.environ, "OPSCTL_STATE_DIR": str(stage.program.directory.parent / "state")}

    with fork_server(stage.program, environ) as runs:
        for _ in range(8):
            runs.run(lines=chance.randrange(12), delay_s=chance.random() * 0.003)
            tables, rows = tables_and_rows(stage.setup)
            assert tables == rows
        assert runs.run() == 0

    assert len(stage.setup.rows()) == FILES


def test_an_interrupted_run_reports_what_it_applied(staged: Staged) -> None:
    stage = staged("postgres")
    stage.write("001_a.sql", "CREATE TABLE a (id integer);\n")
    stage.write("002_b.sql", "CREATE TABLE b (id integer);\nSELECT pg_sleep(60);\n")
    runner = stage.program.start("migrate", environ=stage.environ)
    assert runner.stdout is not None
    assert runner.stdout.readline().startswith("applied 001_a.sql")
    sleeping = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
    wait_for(lambda: stage.setup.query(sleeping) == [(1,)], 60, "the second file to run")

    runner.send_signal(signal.SIGTERM)
    _, err = runner.communicate(timeout=60)

    assert runner.returncode == 130
    assert "1 applied in this run and kept: 001_a.sql" in err
    assert stage.setup.tables() == ["a"]
