"""`up` migrates the schema before it starts the code that needs it."""

import sqlite3
from contextlib import closing

import pytest

from tests.scenarios.deploy.deployed_project import STORE, WEB, DeployedProject


@pytest.fixture
def with_database(project: DeployedProject) -> DeployedProject:
    project.variables["DATABASE_URL"] = "sqlite:///app.db"
    (project.directory / "migrations").mkdir()
    (project.directory / ".gitignore").write_text("app.db*\n")
    project.write_compose_file({"web": WEB, "store": STORE})
    return project


def migration(project: DeployedProject, name: str, text: str) -> None:
    (project.directory / "migrations" / name).write_text(text)


def tables(project: DeployedProject) -> set[str]:
    with closing(sqlite3.connect(project.directory / "app.db")) as database:
        rows = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        return {str(name) for (name,) in rows}


def test_pending_files_are_in_the_plan_and_applied_before_the_services_start(
    with_database: DeployedProject,
) -> None:
    project = with_database
    migration(project, "001_ticks.sql", "CREATE TABLE ticks (x int);\n")
    project.commit_version("1")

    kinds = [step["kind"] for step in project.opsctl("up", "-n", "--json").json["steps"]]
    done = project.run_up()

    assert kinds.index("migrate") < kinds.index("up")
    assert "001_ticks.sql" in done.err
    assert "ticks" in tables(project)
    assert "migrate" not in project.opsctl("up", "-n").out


def test_a_migration_that_fails_changes_no_container(with_database: DeployedProject) -> None:
    project = with_database
    project.commit_version("1")
    project.run_up()
    before = project.container_ids()
    migration(
        project, "001_broken.sql", "CREATE TABLE half (x int);\nINSERT INTO nowhere VALUES (1);\n"
    )
    project.commit_version("2")

    done = project.run_up(exit_code=1)

    assert "001_broken.sql:2" in done.err
    assert project.container_ids() == before
    assert project.served_version() == "1"
    assert "half" not in tables(project)


def test_no_migrate_leaves_the_schema_as_it_is(with_database: DeployedProject) -> None:
    project = with_database
    migration(project, "001_ticks.sql", "CREATE TABLE ticks (x int);\n")
    project.commit_version("1")

    project.run_up("--no-migrate")

    assert not (project.directory / "app.db").exists() or "ticks" not in tables(project)
