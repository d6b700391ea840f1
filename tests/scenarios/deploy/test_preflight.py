from collections.abc import Callable
from typing import Any

import pytest

from tests.engines.addresses import LOOPBACK, Address
from tests.engines.docker import BUSYBOX
from tests.engines.own_engine import OwnEngine
from tests.scenarios.deploy.deployed_project import STORE, CommandResult, DeployedProject

DATABASE = "store-postgres:17.4"


def _refused(
    project: DeployedProject, *words: str, service: dict[str, Any] | None = None
) -> CommandResult:
    """Deploy what a check must refuse, and see that nothing was deployed."""
    project.write_compose_file({"store": {**STORE, **(service or {})}})
    project.commit("One")
    plan = project.opsctl("up", "-n", *words)
    done = project.opsctl("up", *words)
    assert (plan.exit_code, done.exit_code) == (5, 5), done.err
    assert "nothing was changed" in done.err or "experiments never change it" in done.err
    assert project.container_names() == []
    assert project.history() == []
    return done


def _branch(project: DeployedProject) -> None:
    project.commit("Root")
    project.git("switch", "--quiet", "--create", "exp/fast")


def _renamed(project: DeployedProject) -> None:
    _branch(project)
    project.commit("Try")
    project.git("branch", "--move", "release")


def _detached(project: DeployedProject) -> None:
    _branch(project)
    project.commit("Try")
    project.git("switch", "--quiet", "--detach")


def _ci(project: DeployedProject) -> None:
    project.variables["GITHUB_HEAD_REF"] = "EXP/fast"


@pytest.mark.parametrize("become", [_branch, _renamed, _detached, _ci])
def test_an_experiment_never_reaches_production(
    prod: DeployedProject, become: Callable[[DeployedProject], None]
) -> None:
    become(prod)

    done = _refused(prod)

    assert "experiments never change it" in done.err


def test_uncommitted_changes_reach_production_only_when_allowed(prod: DeployedProject) -> None:
    prod.write_compose_file({"store": STORE})
    prod.commit("One")
    prod.write_compose_file({"store": {**STORE, "environment": {"X": "2"}}})

    refused = prod.opsctl("up")
    allowed = prod.run_up("--allow-dirty")

    assert refused.exit_code == 5
    assert "docker-compose.prod.yml" in refused.err
    assert "--allow-dirty" in refused.err
    assert prod.history()[0]["is_dirty"] is True
    assert "no remote branch contains" in allowed.err


def test_a_variable_that_nobody_set_is_refused_in_production_and_told_elsewhere(
    prod: DeployedProject,
) -> None:
    typo = {"environment": {"DB_PASSWORD": "${DB_PASSWORD_TYPO}"}}
    (prod.directory / ".env").write_text("DB_PASSWORD=right\n")
    (prod.directory / ".gitignore").write_text(".env\n")
    prod.write_compose_file({"store": {**STORE, **typo}}, env="dev")

    done = _refused(prod, service=typo)
    checked = prod.opsctl("config", "check")
    prod.variables["OPSCTL_DEPLOY_ALLOW_UNSET"] = "DB_PASSWORD_TYPO"
    allowed = prod.opsctl("up", "-n")
    del prod.variables["OPSCTL_DEPLOY_ALLOW_UNSET"]
    prod.env = "dev"
    warned = prod.opsctl("up", "-n")

    assert "store uses DB_PASSWORD_TYPO" in done.err
    assert (checked.exit_code, "DB_PASSWORD_TYPO" in checked.out) == (3, True)
    assert (allowed.exit_code, "DB_PASSWORD_TYPO" in allowed.out) == (0, False)
    assert (warned.exit_code, "store uses DB_PASSWORD_TYPO" in warned.out) == (0, True)


@pytest.mark.parametrize("port", ["5432:5432", "0.0.0.0:15432:5432", "100.64.1.2:5432:5432"])
def test_no_database_port_of_production_is_public(prod: DeployedProject, port: str) -> None:
    done = _refused(prod, service={"ports": [port]})

    assert "public database port" in done.err


def test_a_database_port_of_production_may_listen_on_loopback(prod: DeployedProject) -> None:
    prod.write_compose_file({"store": {**STORE, "ports": ["127.0.0.1:15432:5432"]}})
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
def test_control_of_the_host_must_be_allowed(
    project: DeployedProject, service: dict[str, Any], allowance: str
) -> None:
    _refused(project, service=service)

    project.variables[allowance] = "store"

    assert project.opsctl("up", "-n").exit_code == 0


def test_a_port_that_another_program_uses_is_refused_before_anything_starts(
    project: DeployedProject, black_hole: Address
) -> None:
    done = _refused(project, service={"ports": [f"{LOOPBACK}:{black_hole.port}:80"]})

    assert f"port {black_hole.port}" in done.err


def test_a_port_that_another_container_uses_is_refused_with_its_name(
    project: DeployedProject,
) -> None:
    network = project.engine.run("network", "create", f"{project.name}-other")
    holder = project.engine.start(
        *(BUSYBOX, "sleep", "1000"),
        options=["--publish", "127.0.0.1:18765:80", "--network", network, "--name", project.name],
    )

    done = _refused(project, service={"ports": ["127.0.0.1:18765:80"]})

    assert f"container {project.name}" in done.err
    project.engine.run("rm", "--force", holder)


def test_what_another_environment_has_is_refused_before_anything_starts(
    project: DeployedProject,
) -> None:
    volume, name = f"{project.name}-data", f"{project.name}-store"
    service = {**STORE, "container_name": name, "volumes": ["data:/data"]}
    shared: dict[str, Any] = {"volumes": {"data": {"name": volume}}}
    for env in ("dev", "prod"):
        project.write_compose_file({"store": service}, env=env, **shared)
    project.commit("One")
    project.run_up()
    project.env = "prod"
    refused = project.opsctl("up")
    own = {**STORE, "volumes": ["data:/data"], "networks": ["far"]}
    external = {"far": {"name": f"{project.name}-none", "external": True}}
    shared["volumes"]["data"]["external"] = True
    project.write_compose_file({"store": own}, networks=external, **shared)
    missing = project.opsctl("up", "-n", "--allow-dirty")

    assert refused.exit_code == 5
    assert f"volume {volume} belongs to project {project.name}-dev" in refused.err
    assert f"wants the name {name}" in refused.err
    assert "external: true" in refused.err
    assert missing.exit_code == 5
    assert f"docker network create {project.name}-none" in missing.err
    assert "belongs to project" not in missing.err
    assert project.container_names() == []


def test_the_profiles_of_the_dotenv_are_deployed_as_by_compose(project: DeployedProject) -> None:
    tool = {**STORE, "volumes": [], "profiles": ["tools"]}
    project.write_compose_file({"store": STORE, "tool": tool})
    before = project.opsctl("up", "-n", "--json").json["services"]
    (project.directory / ".env").write_text("COMPOSE_PROFILES=tools\n")

    after = project.opsctl("up", "-n", "--json").json["services"]

    assert [plan["service"] for plan in before] == ["store"]
    assert [plan["service"] for plan in after] == ["store", "tool"]


def test_too_little_disk_space_is_refused_before_anything_is_fetched(
    project: DeployedProject,
) -> None:
    project.variables["OPSCTL_DEPLOY_DISK_RESERVE_MB"] = str(10**9)

    done = _refused(project, service={"image": "registry.invalid/never:1"})

    assert "opsctl prune" in done.err


def test_a_full_disk_warns_and_suggests_a_clean_up(project: DeployedProject) -> None:
    project.variables["OPSCTL_DEPLOY_DISK_WARN_PERCENT"] = "1"
    project.write_compose_file({"store": STORE})

    done = project.opsctl("up", "-n")

    assert done.exit_code == 0
    assert "% full (opsctl prune -e dev)" in done.out


@pytest.fixture
def database(project: DeployedProject) -> DeployedProject:
    """A running service that counts as a database, by its image's name and its volume."""
    _name_databases(project.engine)
    project.write_compose_file({"store": {**STORE, "image": DATABASE}})
    project.commit("One")
    project.run_up()
    project.data = "do not lose this"
    return project


def _name_databases(engine: OwnEngine) -> None:
    for name in (DATABASE, "store-postgres:18.1"):
        engine.run("tag", BUSYBOX, name)


@pytest.mark.parametrize(
    "service", [{"image": DATABASE, "environment": {"X": "2"}}, {"image": "store-postgres:18.1"}]
)
def test_a_database_is_recreated_only_when_allowed(
    database: DeployedProject, service: dict[str, Any]
) -> None:
    before = database.container_ids()
    database.write_compose_file({"store": {**STORE, **service}})

    refused = database.opsctl("up")
    untouched = database.container_ids()
    allowed = database.run_up("--allow-stateful")

    assert refused.exit_code == 5
    assert "--allow-stateful" in refused.err
    assert ("from 17 to 18" in refused.err) is ("18" in str(service))
    assert untouched == before
    assert database.container_ids() != before
    assert "keeps data" in allowed.err
    assert database.data == "do not lose this"


def test_a_database_that_left_the_file_is_not_removed(database: DeployedProject) -> None:
    database.write_compose_file({"other": {**STORE, "volumes": []}})

    refused = database.opsctl("up")

    assert refused.exit_code == 5
    assert database.container_names() == [database.container_name("store")]
