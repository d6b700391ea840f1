"""What `opsctl init` writes is what a project can run."""

import hashlib
from pathlib import Path

import pytest

from tests.engines.addresses import free_port
from tests.engines.compose import TempComposeProject
from tests.engines.databases import Database
from tests.scenarios.conftest import Program

HYPERTABLES = "SELECT hypertable_name FROM timescaledb_information.hypertables"


def prints(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_the_plan_is_what_runs(opsctl: Program) -> None:
    planned = opsctl("init", "-n", "--json").json["steps"]
    assert list(opsctl.directory.iterdir()) == []

    done = opsctl("init", "--json").json["steps"]

    assert planned == done
    assert all((opsctl.directory / step["path"]).is_file() for step in done)


def test_an_existing_project_keeps_every_byte(opsctl: Program) -> None:
    opsctl.write("configs/prod.yaml", "redis: {port: 1}\n")
    opsctl.write("docker-compose.prod.yml", "mine\n")
    before = prints(opsctl.directory)

    assert opsctl("init").code == 0

    after = prints(opsctl.directory)
    assert before.items() <= after.items()
    opsctl("init")
    assert prints(opsctl.directory) == after


def test_the_project_is_named_after_its_folder_or_as_told(opsctl: Program) -> None:
    opsctl("init", "--name", "ticks")

    assert 'name: "ticks"' in (opsctl.directory / "configs/opsctl.yaml").read_text()


def test_a_folder_that_does_not_exist_yet_is_made(opsctl: Program) -> None:
    assert opsctl("init", "-C", "new/folder").code == 0

    assert (opsctl.directory / "new/folder/configs/opsctl.yaml").is_file()


def test_state_may_be_kept_beside_the_project(opsctl: Program) -> None:
    (opsctl.directory / "below").mkdir()
    opsctl("init")
    environ = {"OPSCTL_STATE_DIR": ".opsctl"}

    assert opsctl("doctor", "-C", "below", environ=environ).code == 3

    assert (opsctl.directory / ".opsctl/state.db").is_file()


def test_a_directory_in_the_way_refuses_all(opsctl: Program) -> None:
    (opsctl.directory / "configs/prod.yaml").mkdir(parents=True)

    answer = opsctl("init")

    assert answer.code == 5
    assert [path.name for path in opsctl.directory.iterdir()] == ["configs"]


@pytest.mark.parametrize(("env", "app_env"), [("prod", "production"), ("dev", "development")])
def test_the_written_stack_starts_and_is_healthy(
    opsctl: Program, compose_project: TempComposeProject, env: str, app_env: str
) -> None:
    opsctl("init")
    file = opsctl.directory / f"docker-compose.{env}.yml"
    compose_project.write(file.read_text())
    ports = f"REDIS_PORT={free_port()}\nPOSTGRES_PORT={free_port()}\n"
    compose_project.write(f"POSTGRES_PASSWORD=hush\n{ports}", ".env")

    compose_project.compose("up", "-d", "--wait", "--wait-timeout", "90")

    told = compose_project.compose("exec", "-T", "timescaledb", "printenv", "APP_ENV")
    assert told.stdout.strip() == app_env


def test_the_first_migration_applies_on_timescaledb(opsctl: Program, timescale: Database) -> None:
    opsctl("init")
    script = (opsctl.directory / "migrations/001_initial.sql").read_bytes()

    with timescale.connect() as connection:
        connection.execute(script)
        found = connection.execute(
            "SELECT hypertable_name FROM timescaledb_information.hypertables"
        )
        tables = found.fetchall()

    assert tables == [("market_ticks",)]
