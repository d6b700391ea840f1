"""What other capabilities add to a deploy: data checks and migrations."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest

from opsctl.deploy.execute import execute
from opsctl.deploy.integrations import DeployIntegrations
from opsctl.deploy.model import DeployOptions
from opsctl.deploy.observe import Observer
from opsctl.deploy.up import prepare_deploy
from opsctl.errors import OpsctlError
from opsctl.wiring import ProjectLocation, Wiring
from tests.engines.databases import Database
from tests.engines.redis import RedisServer
from tests.scenarios.deploy.deployed_project import STORE, WEB, DeployedProject
from tests.waiting import wait_for


@pytest.fixture
def subscribed(project: DeployedProject, redis_server: RedisServer) -> DeployedProject:
    project.variables |= {
        "REDIS_HOST": redis_server.address.host,
        "REDIS_PORT": str(redis_server.address.port),
        "OPSCTL_DEPLOY_SUBSCRIBED_CHANNELS": "ticker.kr",
        "OPSCTL_DEPLOY_DATA_CHECK_TIMEOUT_S": "3",
    }
    return project


@contextmanager
def _subscriber(server: RedisServer) -> Iterator[None]:
    address = ["-h", server.address.host, "-p", str(server.address.port)]
    with subprocess.Popen(
        ["redis-cli", *address, "SUBSCRIBE", "ticker.kr"], stdout=subprocess.DEVNULL
    ) as listening:
        wait_for(
            lambda: server.cli("PUBSUB", "NUMSUB", "ticker.kr").endswith("1"), 60, "a subscriber"
        )
        yield
        listening.terminate()


def test_a_channel_without_a_subscriber_fails_the_deploy(
    subscribed: DeployedProject, redis_server: RedisServer
) -> None:
    subscribed.write_compose_file({"web": WEB, "store": STORE})
    subscribed.commit_version("1")
    with _subscriber(redis_server):
        subscribed.run_up()
    subscribed.commit_version("2")

    done = subscribed.run_up(exit_code=1)

    assert "a subscriber to ticker.kr" in done.err
    assert "it has no subscriber" in done.err
    assert subscribed.served_version() == "1"


def test_a_table_without_fresh_rows_fails_the_deploy(
    project: DeployedProject, postgres: Database
) -> None:
    project.variables |= {
        "DATABASE_URL": postgres.url,
        "OPSCTL_DEPLOY_DATA_CHECK_TIMEOUT_S": "3",
    }
    fresh_table = {"table": "ticks", "column": "time", "within_s": 600}
    project.add_settings(deploy={"fresh_tables": [fresh_table]})
    with postgres.connect() as connection:
        connection.execute("CREATE TABLE ticks (time timestamptz)")
        connection.execute("INSERT INTO ticks VALUES (now())")
    project.write_compose_file({"web": WEB, "store": STORE})
    project.commit_version("1")
    project.run_up()

    with postgres.connect() as connection:
        connection.execute("UPDATE ticks SET time = now() - interval '1 hour'")
    project.commit_version("2")
    done = project.run_up(exit_code=1)

    assert "the newest row is 36" in done.err
    assert project.served_version() == "1"


@dataclass
class FakeMigrator:
    """A migrator that records which containers existed when it was applied."""

    project: DeployedProject
    fails: bool = False
    containers: list[str] = field(default_factory=list)

    def pending(self) -> str | None:
        return "002_more.sql"

    def apply(self) -> str:
        self.containers = self.project.container_names()
        if self.fails:
            raise OpsctlError("002_more.sql could not be applied", why="it is wrong")
        return "002"


def _deploy(project: DeployedProject, migrator: FakeMigrator) -> list[str]:
    place = ProjectLocation(str(project.directory), env=project.env)
    wiring = Wiring(place, environ=project.environment)
    try:
        observer = Observer(wiring)
        run = prepare_deploy(observer, DeployOptions(), DeployIntegrations(migrator=migrator))
        execute(run)
        return [str(step.kind) for step in run.plan.steps]
    finally:
        wiring.close()


def test_the_database_starts_before_the_migration_and_the_code_after_it(
    project: DeployedProject,
) -> None:
    project.engine.run("tag", "busybox:1.37", "store-postgres:17.4")
    project.write_compose_file({"web": WEB, "store": {**STORE, "image": "store-postgres:17.4"}})
    project.commit_version("1")
    first, second = FakeMigrator(project), FakeMigrator(project)

    first_steps = _deploy(project, first)
    project.commit_version("2")
    second_steps = _deploy(project, second)

    assert first_steps[3:7] == ["build", "start", "migrate", "up"]
    assert first.containers == [project.container_name("store")]
    assert second_steps[3:6] == ["build", "migrate", "up"]
    assert project.history()[0]["schema"] == "002"
    head, newest, *_ = project.opsctl("history").out.splitlines()
    assert newest[head.index("schema") :].split()[0] == "002"


def test_a_migration_that_fails_changes_nothing_that_runs(project: DeployedProject) -> None:
    project.deploy_version("1")
    before = project.container_ids()
    project.commit_version("2")

    with pytest.raises(OpsctlError, match="could not be applied"):
        _deploy(project, FakeMigrator(project, fails=True))

    assert project.container_ids() == before
    assert project.outcomes() == ["failed", "done"]
