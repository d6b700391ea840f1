"""`up` brings the schema forward before the code that needs it."""

import sqlite3
from contextlib import closing

import pytest

from tests.scenarios.deploy.stage import STORE, WEB, Stage


@pytest.fixture
def with_database(stage: Stage) -> Stage:
    stage.variables["DATABASE_URL"] = "sqlite:///app.db"
    (stage.directory / "migrations").mkdir()
    (stage.directory / ".gitignore").write_text("app.db*\n")
    stage.write({"web": WEB, "store": STORE})
    return stage


def migration(stage: Stage, name: str, text: str) -> None:
    (stage.directory / "migrations" / name).write_text(text)


def tables(stage: Stage) -> set[str]:
    with closing(sqlite3.connect(stage.directory / "app.db")) as database:
        rows = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        return {str(name) for (name,) in rows}


def test_pending_files_are_in_the_plan_and_applied_before_the_swap(with_database: Stage) -> None:
    stage = with_database
    migration(stage, "001_ticks.sql", "CREATE TABLE ticks (x int);\n")
    stage.version("1")

    acts = [step["act"] for step in stage.opsctl("up", "-n", "--json").json["steps"]]
    done = stage.up()

    assert acts.index("migrate") < acts.index("up")
    assert "001_ticks.sql" in done.err
    assert "ticks" in tables(stage)
    assert "migrate" not in stage.opsctl("up", "-n").out


def test_a_file_that_fails_leaves_what_runs_alone(with_database: Stage) -> None:
    stage = with_database
    stage.version("1")
    stage.up()
    before = stage.ids()
    migration(
        stage, "001_broken.sql", "CREATE TABLE half (x int);\nINSERT INTO nowhere VALUES (1);\n"
    )
    stage.version("2")

    done = stage.up(exit_code=1)

    assert "001_broken.sql:2" in done.err
    assert stage.ids() == before
    assert stage.serves() == "1"
    assert "half" not in tables(stage)


def test_no_migrate_leaves_the_schema_as_it_is(with_database: Stage) -> None:
    stage = with_database
    migration(stage, "001_ticks.sql", "CREATE TABLE ticks (x int);\n")
    stage.version("1")

    stage.up("--no-migrate")

    assert not (stage.directory / "app.db").exists() or "ticks" not in tables(stage)
