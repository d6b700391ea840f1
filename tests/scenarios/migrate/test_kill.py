"""SIGKILL at 100 random points of runs of 200 files: each is in with its row, or not at all."""

import random
import signal
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.engines.databases import create_database, drop_database
from tests.engines.postgres import PostgresServer
from tests.grounds import Ground, ground
from tests.scenarios.conftest import Program
from tests.scenarios.migrate.conftest import Staged
from tests.waiting import wait_for

FILES = 200
RUNS, KILLS = 5, 20
AT_ONCE = 3
OTHERS = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


def write_files(directory: Path) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    for number in range(1, FILES + 1):
        text = f"CREATE TABLE t{number} (id integer);\nINSERT INTO t{number} VALUES ({number});\n"
        (directory / f"{number:03}_t{number}.sql").write_text(text)


def kill_somewhere(program: Program, url: str, chance: random.Random) -> None:
    """Let it apply a few files, and kill it in the middle of whatever it does then."""
    runner = program.start("migrate", environ={"DATABASE_URL": url})
    assert runner.stdout is not None
    for _ in range(chance.randrange(18)):
        if not runner.stdout.readline():
            break
    try:
        runner.wait(chance.random() * 0.004)
    except subprocess.TimeoutExpired:
        runner.send_signal(signal.SIGKILL)
    runner.communicate(timeout=30)


def tables_and_rows(place: Ground) -> tuple[set[str], set[str]]:
    tables = {name for name in place.tables() if name.startswith("t")}
    return tables, {f"t{version}" for version in place.rows()}


def survive(program: Program, place: Ground, seed: int) -> None:
    """Kill run after run, look each time, and let the last one finish."""
    chance = random.Random(seed)  # noqa: S311 - chance, not secrecy
    for _ in range(KILLS):
        kill_somewhere(program, place.url, chance)
        if place.is_server:
            wait_for(lambda: place.query(OTHERS) == [(0,)], 20, "the server to let go")
        tables, rows = tables_and_rows(place)
        assert tables == rows
    finished = program("migrate", environ={"DATABASE_URL": place.url})
    assert finished.code == 0, finished.err
    tables, rows = tables_and_rows(place)
    assert tables == rows
    assert len(rows) == FILES


@pytest.mark.timeout(120)
def test_a_kill_at_100_points_leaves_each_file_with_its_row_or_without(
    opsctl: Program, postgres_server: PostgresServer
) -> None:
    opsctl.write("configs/opsctl.yaml", "project: {name: ticks}\n")
    write_files(opsctl.directory / "migrations")
    databases = [create_database(postgres_server.admin) for _ in range(RUNS)]
    places = [ground("postgres", base.url, opsctl.directory / "migrations") for base in databases]
    homes = [opsctl.directory.parent / f"home{number}" for number in range(RUNS)]
    # A home of its own each: they are five machines, and none waits for another's lock.
    programs = [
        Program(opsctl.directory, opsctl.environ | {"OPSCTL_STATE_DIR": str(home)})
        for home in homes
    ]

    with ThreadPoolExecutor(AT_ONCE) as pool:
        ended = [*pool.map(survive, programs, places, range(RUNS))]

    assert len(ended) == RUNS
    for base in databases:
        drop_database(postgres_server.admin, base.dbname)


@pytest.mark.parametrize("kind", ["sqlite", "duckdb"])
def test_a_killed_run_of_an_embedded_database_is_whole(staged: Staged, kind: str) -> None:
    stage = staged(kind)
    write_files(stage.ground.directory)
    chance = random.Random(7)  # noqa: S311 - chance, not secrecy

    for _ in range(6):
        kill_somewhere(stage.program, stage.ground.url, chance)
        tables, rows = tables_and_rows(stage.ground)
        assert tables == rows

    assert stage().code == 0
    assert len(stage.ground.rows()) == FILES


def test_an_interrupted_run_says_what_it_kept(staged: Staged) -> None:
    stage = staged("postgres")
    stage.write("001_a.sql", "CREATE TABLE a (id integer);\n")
    stage.write("002_b.sql", "CREATE TABLE b (id integer);\nSELECT pg_sleep(60);\n")
    runner = stage.program.start("migrate", environ=stage.environ)
    assert runner.stdout is not None
    assert runner.stdout.readline().startswith("applied 001_a.sql")
    sleeping = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
    wait_for(lambda: stage.ground.query(sleeping) == [(1,)], 20, "the second file to run")

    runner.send_signal(signal.SIGTERM)
    _, err = runner.communicate(timeout=30)

    assert runner.returncode == 130
    assert "applied and kept: 001_a.sql" in err
    assert stage.ground.tables() == ["a"]
