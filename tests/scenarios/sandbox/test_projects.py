"""`opsctl test` in a project: its service, its network, servers beside it, and what is refused."""

import json
from pathlib import Path

import pytest

from tests.engines.docker import BUSYBOX, REDIS, TIMESCALE
from tests.scenarios.sandbox.conftest import Site

REFUSED = [
    ({"OPSCTL_SANDBOX_CPUS": "0.6"}, (), "0.6 CPU (at most 0.5)"),
    ({"OPSCTL_SANDBOX_MEMORY_MB": "1024"}, (), "1024 MiB of memory (at most 512)"),
    ({"OPSCTL_SANDBOX_PROCESSES": "4096"}, (), "4096 processes (at most 256)"),
    ({"OPSCTL_SANDBOX_USER": "root"}, (), "cannot run as root"),
    ({}, ("--mount", "/run:/x"), "root on this machine"),
    ({}, ("--mount", "/:/x"), "root on this machine"),
    ({"OPSCTL_ENV": "prod"}, ("--network", "default"), "never joins a network of production"),
]


@pytest.mark.parametrize(("environ", "words", "said"), REFUSED)
def test_what_would_widen_the_caps_is_refused(
    site: Site, environ: dict[str, str], words: tuple[str, ...], said: str
) -> None:
    answer = site.sh("true", *words, environ=environ)

    assert answer.code == 5
    assert said in answer.err
    assert site.containers() == []


def test_servers_for_a_test_are_there_and_gone_with_it(site: Site) -> None:
    site.engine.need_image("docker", REDIS)
    site.engine.need_image("timescale", TIMESCALE)
    script = 'redis-cli -h "$REDIS_HOST" PING; ! timeout 2 redis-cli -h 1.1.1.1 PING'
    words = ("--with", "redis,timescale", "--", "sh", "-c", script)

    answer = site(*words, image=REDIS, environ={"OPSCTL_SANDBOX_TIMESCALE_IMAGE": TIMESCALE})

    assert (answer.code, answer.out.splitlines()[0]) == (0, "PONG")
    assert (site.containers(), site.networks()) == ([], [])


def test_a_test_database_takes_statements_and_has_the_extension(site: Site) -> None:
    site.engine.need_image("timescale", TIMESCALE)
    script = 'psql -At "$DATABASE_URL" -c "SELECT extname FROM pg_extension ORDER BY 1"'
    words = ("--with", "timescale", "--", "sh", "-c", script)

    answer = site(*words, image=TIMESCALE, environ={"OPSCTL_SANDBOX_TIMESCALE_IMAGE": TIMESCALE})

    assert answer.out.split() == ["plpgsql", "timescaledb"]


COMPOSE = f"""
services:
  test:
    build: .
    command: ["sh", "-c", "cat /built; echo $$WHO; cat /configs/opsctl.yaml | head -1"]
    environment: {{WHO: tester}}
    mem_limit: 64m
    volumes: ["./configs:/configs:ro"]
  wide: {{image: "{BUSYBOX}", privileged: true}}
  greedy: {{image: "{BUSYBOX}", mem_limit: 1g}}
  server: {{image: "{REDIS}", networks: [tests]}}
networks:
  tests:
"""


@pytest.fixture
def composed(site: Site) -> Site:
    site.opsctl.write("docker-compose.dev.yml", COMPOSE)
    site.opsctl.write("Dockerfile", f"FROM {BUSYBOX}\nRUN echo built > /built\n")
    return site


def test_the_projects_test_service_is_built_and_run_under_the_lower_cap(composed: Site) -> None:
    answer = composed.opsctl("test", "--build", "-q")

    assert answer.code == 0, answer.err
    assert answer.out.startswith("built\ntester\n")
    told = composed.opsctl("test", "--json")
    assert told.json["runs"][0]["limits"]["memory_bytes"] == 64 << 20


@pytest.mark.parametrize(
    ("service", "said"), [("wide", "privileged"), ("greedy", "1024 MiB of memory (at most 512)")]
)
def test_a_service_that_asks_for_more_is_refused(composed: Site, service: str, said: str) -> None:
    answer = composed.opsctl("test", "--service", service)

    assert answer.code == 5
    assert said in answer.err


def test_a_dockerfile_is_built_under_the_same_caps(site: Site) -> None:
    caps = "/sys/fs/cgroup/cpu/cpu.cfs_quota_us /sys/fs/cgroup/cpu.max"
    site.opsctl.write("Dockerfile", f"FROM {BUSYBOX}\nRUN cat {caps} > /caps 2>/dev/null; true\n")

    answer = site.opsctl("test", "--build", "--", "cat", "/caps")

    assert answer.code == 0, answer.err
    assert answer.out.startswith("50000")


def test_what_is_refused_is_refused_before_anything_is_built(site: Site) -> None:
    site.opsctl.write("Dockerfile", f"FROM {BUSYBOX}\n")

    answer = site.opsctl("test", "--build", "--", "true", environ={"OPSCTL_SANDBOX_CPUS": "1"})

    assert answer.code == 5
    assert site.engine.attempt("image", "inspect", f"{site.name}-test").returncode != 0


def test_a_network_of_the_project_is_joined_when_asked(composed: Site) -> None:
    where = ("--project-directory", str(composed.opsctl.directory))
    project = ("--project-name", f"{composed.name}-dev", "-f", "docker-compose.dev.yml")
    file = str(composed.opsctl.directory / "docker-compose.dev.yml")
    compose = ("compose", *where, *project[:3], file)
    composed.engine.need_image("docker", REDIS)
    composed.engine.run(*compose, "up", "--detach", "server")
    try:
        words = ("--network", "tests", "--", "redis-cli", "-h", "server", "PING")
        answer = composed(*words, image=REDIS, environ={})
    finally:
        composed.engine.run(*compose, "down", "--timeout", "0")

    assert answer.out == "PONG\n"


def test_a_network_that_is_not_there_is_reported(site: Site) -> None:
    answer = site.sh("true", "--network", "tests")

    assert answer.code == 1
    assert "has no such network now" in answer.err


USAGE = [
    (("--service", "nosuch"), "has no service nosuch"),
    (("--image", BUSYBOX, "--service", "redis"), "cannot combine --service and --image"),
    (("--image", BUSYBOX, "--with", "mysql"), "postgres"),
    (("--image", BUSYBOX, "--mount", "x"), "is not a mount"),
    (
        ("--image", BUSYBOX, "--with", "redis", "--network", "tests"),
        "cannot combine --with and --network",
    ),
]


@pytest.mark.parametrize(("words", "said"), USAGE)
def test_wrong_words_are_reported(site: Site, words: tuple[str, ...], said: str) -> None:
    answer = site.opsctl("test", *words)

    assert answer.code == 2
    assert said in answer.err


def test_an_image_that_is_not_here_is_not_pulled(site: Site) -> None:
    answer = site.opsctl("test", "--image", "no-such-image:1", "--", "true")

    assert answer.code == 1
    assert "docker pull no-such-image:1" in answer.err


def test_without_an_engine_the_exit_code_is_7(site: Site, tmp_path: Path) -> None:
    nowhere = f"unix://{tmp_path}/no.sock"

    answer = site.sh("true", "--json", environ={"DOCKER_HOST": nowhere})

    assert answer.code == 7
    assert json.loads(answer.out)["error"]["code"] == "unreachable"
