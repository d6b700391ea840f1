from collections.abc import Callable
from typing import Any

import pytest

from tests.engines.addresses import LOOPBACK, Address
from tests.engines.docker import BUSYBOX
from tests.engines.own_engine import OwnEngine
from tests.scenarios.deploy.stage import STORE, Done, Stage

DATABASE = "store-postgres:17.4"


def _refused(stage: Stage, *words: str, service: dict[str, Any] | None = None) -> Done:
    """Deploy what a guard must stop, and see that nothing came of it."""
    stage.write({"store": {**STORE, **(service or {})}})
    stage.commit("One")
    plan = stage.opsctl("up", "-n", *words)
    done = stage.opsctl("up", *words)
    assert (plan.exit_code, done.exit_code) == (5, 5), done.err
    assert "nothing was changed" in done.err or "never reach production" in done.err
    assert stage.names() == []
    assert stage.history() == []
    return done


def _branch(stage: Stage) -> None:
    stage.commit("Root")
    stage.git("switch", "--quiet", "--create", "exp/fast")


def _renamed(stage: Stage) -> None:
    _branch(stage)
    stage.commit("Try")
    stage.git("branch", "--move", "release")


def _detached(stage: Stage) -> None:
    _branch(stage)
    stage.commit("Try")
    stage.git("switch", "--quiet", "--detach")


def _ci(stage: Stage) -> None:
    stage.variables["GITHUB_HEAD_REF"] = "EXP/fast"


@pytest.mark.parametrize("become", [_branch, _renamed, _detached, _ci])
def test_an_experiment_never_reaches_production(
    prod: Stage, become: Callable[[Stage], None]
) -> None:
    become(prod)

    done = _refused(prod)

    assert "experiments never reach production" in done.err


def test_uncommitted_changes_do_not_reach_production_unless_allowed(prod: Stage) -> None:
    prod.write({"store": STORE})
    prod.commit("One")
    prod.write({"store": {**STORE, "environment": {"X": "2"}}})

    refused = prod.opsctl("up")
    allowed = prod.up("--allow-dirty")

    assert refused.exit_code == 5
    assert "docker-compose.prod.yml" in refused.err
    assert "--allow-dirty" in refused.err
    assert prod.history()[0]["is_dirty"] is True
    assert "no remote branch holds" in allowed.err


@pytest.mark.parametrize("port", ["5432:5432", "0.0.0.0:15432:5432", "100.64.1.2:5432:5432"])
def test_no_database_port_of_production_is_public(prod: Stage, port: str) -> None:
    done = _refused(prod, service={"ports": [port]})

    assert "public database port" in done.err


def test_a_database_port_of_production_may_listen_on_loopback(prod: Stage) -> None:
    prod.write({"store": {**STORE, "ports": ["127.0.0.1:15432:5432"]}})
    prod.commit("One")

    assert prod.opsctl("up", "-n").exit_code == 0


@pytest.mark.parametrize(
    ("service", "allowance"),
    [
        (
            {"volumes": ["/var/run/docker.sock:/var/run/docker.sock:ro"]},
            "OPSCTL_DEPLOY_ALLOW_DOCKER_SOCKET",
        ),
        ({"privileged": True}, "OPSCTL_DEPLOY_ALLOW_PRIVILEGED"),
        ({"network_mode": "host"}, "OPSCTL_DEPLOY_ALLOW_PRIVILEGED"),
    ],
)
def test_power_over_the_host_needs_an_allowance(
    stage: Stage, service: dict[str, Any], allowance: str
) -> None:
    _refused(stage, service=service)

    stage.variables[allowance] = "store"

    assert stage.opsctl("up", "-n").exit_code == 0


def test_a_port_that_another_program_holds_is_told_before_anything_starts(
    stage: Stage, black_hole: Address
) -> None:
    done = _refused(stage, service={"ports": [f"{LOOPBACK}:{black_hole.port}:80"]})

    assert f"port {black_hole.port}" in done.err


def test_a_port_that_another_project_holds_is_told_with_its_name(stage: Stage) -> None:
    network = stage.engine.run("network", "create", f"{stage.name}-other")
    holder = stage.engine.start(
        *(BUSYBOX, "sleep", "1000"),
        options=["--publish", "127.0.0.1:18765:80", "--network", network, "--name", stage.name],
    )

    done = _refused(stage, service={"ports": ["127.0.0.1:18765:80"]})

    assert f"container {stage.name}" in done.err
    stage.engine.run("rm", "--force", holder)


def test_too_little_disk_is_told_before_anything_is_fetched(stage: Stage) -> None:
    stage.variables["OPSCTL_DEPLOY_DISK_RESERVE_MB"] = str(10**9)

    done = _refused(stage, service={"image": "registry.invalid/never:1"})

    assert "opsctl prune" in done.err


def test_a_full_disk_warns_and_names_the_clean_up(stage: Stage) -> None:
    stage.variables["OPSCTL_DEPLOY_DISK_WARN_PERCENT"] = "1"
    stage.write({"store": STORE})

    done = stage.opsctl("up", "-n")

    assert done.exit_code == 0
    assert "% full (opsctl prune -e dev)" in done.out


@pytest.fixture
def database(stage: Stage) -> Stage:
    """A service that keeps data, by its image's name and its volume, and runs."""
    _name_databases(stage.engine)
    stage.write({"store": {**STORE, "image": DATABASE}})
    stage.commit("One")
    stage.up()
    stage.precious = "do not lose this"
    return stage


def _name_databases(engine: OwnEngine) -> None:
    for name in (DATABASE, "store-postgres:18.1"):
        engine.run("tag", BUSYBOX, name)


@pytest.mark.parametrize(
    "service", [{"image": DATABASE, "environment": {"X": "2"}}, {"image": "store-postgres:18.1"}]
)
def test_a_database_is_not_recreated_in_passing(database: Stage, service: dict[str, Any]) -> None:
    before = database.ids()
    database.write({"store": {**STORE, **service}})

    refused = database.opsctl("up")
    untouched = database.ids()
    allowed = database.up("--allow-stateful")

    assert refused.exit_code == 5
    assert "--allow-stateful" in refused.err
    assert ("from 17 to 18" in refused.err) is ("18" in str(service))
    assert untouched == before
    assert database.ids() != before
    assert "keeps data" in allowed.err
    assert database.precious == "do not lose this"


def test_a_database_that_left_the_file_is_not_removed_in_passing(database: Stage) -> None:
    database.write({"other": {**STORE, "volumes": []}})

    refused = database.opsctl("up")

    assert refused.exit_code == 5
    assert database.names() == [database.container("store")]
