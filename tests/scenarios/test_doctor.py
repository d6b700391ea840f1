"""The doctor against real systems, living, dead and hung."""

from collections.abc import Callable

import pytest

from opsctl.systems.clock import SystemClock
from tests.engines.addresses import Address
from tests.engines.databases import Database
from tests.engines.docker import DockerEngine
from tests.engines.redis import RedisServer
from tests.scenarios.conftest import Program


def levels(findings: list[dict[str, str]]) -> dict[str, str]:
    return {finding["check"]: finding["level"] for finding in findings}


def test_without_settings_the_doctor_still_examines_the_rest(opsctl: Program) -> None:
    answer = opsctl("doctor", "--json")

    found = levels(answer.json["findings"])
    assert answer.code == 3
    assert found["settings"] == "critical"
    assert found["opsctl"] == "ok"
    assert {"engine", "compose", "state", "git"} <= set(found)


def test_each_problem_comes_with_its_fix(project: Program, dead_address: Address) -> None:
    environ = {
        "REDIS_ENABLED": "true",
        "REDIS_HOST": dead_address.host,
        "REDIS_PORT": str(dead_address.port),
        "DOCKER_HOST": "unix:///nowhere.sock",
    }

    answer = project("doctor", "--json", environ=environ)

    troubles = [found for found in answer.json["findings"] if found["level"] != "ok"]
    assert {"redis", "engine", "git"} <= {found["check"] for found in troubles}
    assert all(found["fix"] for found in troubles)


def test_living_systems_tell_version_and_clock(
    project: Program, redis_server: RedisServer, postgres: Database
) -> None:
    environ = {
        "REDIS_ENABLED": "true",
        "REDIS_HOST": redis_server.address.host,
        "REDIS_PORT": str(redis_server.address.port),
        "DATABASE_URL": postgres.url,
    }

    answer = project("doctor", "--json", "--timeout", "60s", environ=environ)

    found = levels(answer.json["findings"])
    assert (found["redis"], found["redis clock"]) == ("ok", "ok")
    assert (found["postgres"], found["postgres clock"]) == ("ok", "ok")


def test_the_engine_tells_version_and_clock(project: Program, docker_engine: DockerEngine) -> None:
    answer = project(
        "doctor", "--json", "--timeout", "60s", environ={"DOCKER_HOST": docker_engine.host}
    )

    found = levels(answer.json["findings"])
    assert (found["engine"], found["engine clock"], found["compose"]) == ("ok", "ok", "ok")


@pytest.mark.parametrize("kind", ["black_hole", "full_backlog"])
def test_a_hung_system_does_not_hold_up_the_doctor(
    project: Program, request: pytest.FixtureRequest, kind: str
) -> None:
    address: Address = request.getfixturevalue(kind)
    place = f"{address.host}:{address.port}"
    environ = {
        "REDIS_ENABLED": "true",
        "REDIS_HOST": address.host,
        "REDIS_PORT": str(address.port),
        "DATABASE_URL": f"postgresql://app@{place}/ticks",
        "DOCKER_HOST": f"tcp://{place}",
        "OPSCTL_DOCTOR_URLS": f"http://{place}/",
    }
    clock = SystemClock()

    began = clock.steady()
    answer = project("doctor", "--json", "--timeout", "500ms", environ=environ)
    took = clock.steady() - began

    found = levels(answer.json["findings"])
    assert answer.code == 3
    assert [found[name] for name in ("redis", "postgres", "engine")] == ["critical"] * 3
    # Wide, as machines are shared: a driver left to itself would take minutes.
    assert took < 40


def test_a_dotenv_that_git_tracks_is_critical(project: Program, git: Callable[..., str]) -> None:
    git(project.directory, "init", "-q", "-b", "main")
    git(project.directory, "add", "-A")
    git(project.directory, "commit", "-q", "-m", "Start")
    assert ".env is not in git" in project("doctor", "--timeout", "60s").out

    git(project.directory, "add", "-f", ".env")

    assert ".env is tracked by git" in project("doctor", "--timeout", "60s").out


def test_an_experiment_is_reported(project: Program, git: Callable[..., str]) -> None:
    git(project.directory, "init", "-q", "-b", "exp/a")
    git(project.directory, "add", "-A")
    git(project.directory, "commit", "-q", "-m", "Try a thing")

    answer = project("doctor", "--timeout", "60s")

    assert "this is an experiment (the branch exp/a is checked out)" in answer.out
