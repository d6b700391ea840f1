"""What other capabilities add to a deploy: claims about data, migrations, messages."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest

from opsctl.deploy.execute import execute
from opsctl.deploy.model import Wish
from opsctl.deploy.observe import Observer
from opsctl.deploy.run import Helpers
from opsctl.deploy.up import prepare
from opsctl.errors import OpsctlError
from opsctl.wiring import Wiring, WorkPlace
from tests.engines.databases import Database
from tests.engines.redis import RedisServer
from tests.scenarios.deploy.stage import STORE, WEB, Stage
from tests.waiting import wait_for


@pytest.fixture
def listened(stage: Stage, redis_server: RedisServer) -> Stage:
    stage.variables |= {
        "REDIS_HOST": redis_server.address.host,
        "REDIS_PORT": str(redis_server.address.port),
        "OPSCTL_DEPLOY_SUBSCRIBED_CHANNELS": "ticker.kr",
        "OPSCTL_DEPLOY_GATE_TIMEOUT_S": "3",
    }
    return stage


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


def test_a_channel_that_nobody_listens_to_fails_the_deploy(
    listened: Stage, redis_server: RedisServer
) -> None:
    listened.write({"web": WEB, "store": STORE})
    listened.version("1")
    with _subscriber(redis_server):
        listened.up()
    listened.version("2")

    done = listened.up(exit_code=1)

    assert "a subscriber to ticker.kr" in done.err
    assert "nobody listens" in done.err
    assert listened.serves() == "1"


def test_a_table_without_young_rows_fails_the_deploy(stage: Stage, postgres: Database) -> None:
    stage.variables |= {
        "DATABASE_URL": postgres.url,
        "OPSCTL_DEPLOY_GATE_TIMEOUT_S": "3",
    }
    gate = {"table": "ticks", "column": "time", "within_s": 600}
    stage.settings(deploy={"fresh_tables": [gate]})
    with postgres.connect() as connection:
        connection.execute("CREATE TABLE ticks (time timestamptz)")
        connection.execute("INSERT INTO ticks VALUES (now())")
    stage.write({"web": WEB, "store": STORE})
    stage.version("1")
    stage.up()

    with postgres.connect() as connection:
        connection.execute("UPDATE ticks SET time = now() - interval '1 hour'")
    stage.version("2")
    done = stage.up(exit_code=1)

    assert "the youngest is 36" in done.err
    assert stage.serves() == "1"


@dataclass
class Migrating:
    """A migration that notes what was there when it was applied."""

    stage: Stage
    fails: bool = False
    seen: list[str] = field(default_factory=list)

    def pending(self) -> str | None:
        return "002_more.sql"

    def apply(self) -> str:
        self.seen = self.stage.names()
        if self.fails:
            raise OpsctlError("002_more.sql could not be applied", why="it is wrong")
        return "002"


def _deploy(stage: Stage, migration: Migrating) -> list[str]:
    place = WorkPlace(str(stage.directory), env=stage.env)
    wiring = Wiring(place, environ=stage.environment)
    try:
        observer = Observer(wiring)
        run = prepare(observer, Wish(), Helpers(migration=migration))
        execute(run)
        return [str(step.act) for step in run.plan.steps]
    finally:
        wiring.close()


def test_the_schema_comes_before_the_code_and_the_database_before_the_schema(
    stage: Stage,
) -> None:
    stage.engine.run("tag", "busybox:1.37", "store-postgres:17.4")
    stage.write({"web": WEB, "store": {**STORE, "image": "store-postgres:17.4"}})
    stage.version("1")
    first, second = Migrating(stage), Migrating(stage)

    begun = _deploy(stage, first)
    stage.version("2")
    went_on = _deploy(stage, second)

    assert begun[3:7] == ["build", "start", "migrate", "up"]
    assert first.seen == [stage.container("store")]
    assert went_on[3:6] == ["build", "migrate", "up"]
    assert stage.history()[0]["schema"] == "002"
    head, newest, *_ = stage.opsctl("history").out.splitlines()
    assert newest[head.index("schema") :].split()[0] == "002"


def test_a_migration_that_fails_changes_nothing_that_runs(stage: Stage) -> None:
    stage.deploy("1")
    before = stage.ids()
    stage.version("2")

    with pytest.raises(OpsctlError, match="could not be applied"):
        _deploy(stage, Migrating(stage, fails=True))

    assert stage.ids() == before
    assert stage.outcomes() == ["failed", "done"]
