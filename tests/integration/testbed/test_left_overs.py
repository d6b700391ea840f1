import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from tests.engines.docker import BUSYBOX, DockerEngine
from tests.engines.owner import is_left_over, owner_of, this_process
from tests.waiting import wait_for

_ROOT = Path(__file__).parents[3]
# Says what it started, then ends as the kernel's memory killer would end it.
_KILLED_RUN = f"""
import os, signal

def test_killed(own_postgres, own_redis, compose_project, docker_engine, report):
    frozen = own_redis()
    report.write_text(f"{{own_postgres.pid}} {{frozen.pid}} {{os.getpid()}}")
    docker_engine.start("{BUSYBOX}", "sleep", "300")
    compose_project.write("services: {{idle: {{image: '{BUSYBOX}', command: sleep 300}}}}")
    assert compose_project.compose("up", "--detach").returncode == 0
    frozen.freeze()
    os.kill(os.getpid(), signal.SIGKILL)
"""
_NEXT_RUN = "def test_next(docker_engine, server_folders): pass"


@pytest.mark.engine("docker")
@pytest.mark.engine("postgres")
@pytest.mark.engine("redis")
def test_a_killed_run_ends_its_servers_and_the_next_one_sweeps(
    tmp_path: Path, docker_engine: DockerEngine
) -> None:
    killed = _run_pytest(tmp_path, _KILLED_RUN)
    assert killed.returncode == -9, killed.stdout
    *servers, runner = map(int, (tmp_path / "report").read_text().split())
    wait_for(lambda: not any(map(_is_running, servers)), 60, "the servers to end by themselves")

    swept = _run_pytest(tmp_path, _NEXT_RUN)

    assert swept.returncode == 0, swept.stdout
    # Another worker may be sweeping the same, and still be at it.
    server_folders = Path("/tmp")  # noqa: S108 - where server_folders are
    wait_for(
        lambda: not list(server_folders.glob(f"opsctltest-{runner}-*")),
        60,
        "the folders to be gone",
    )
    wait_for(lambda: _owned_by(runner, docker_engine) == [], 60, "the containers to be gone")


def test_what_a_living_run_made_is_left_alone() -> None:
    mine = f"{this_process().prefix}-pg-1"

    assert owner_of(mine) == this_process()
    assert not is_left_over(mine)


@pytest.mark.parametrize("change", [{"started": 1}, {"boot": "00000000"}])
def test_a_number_used_again_is_not_the_same_process(change: dict[str, int | str]) -> None:
    earlier = replace(this_process(), **change)  # type: ignore[arg-type]  # one field of each type

    assert is_left_over(f"{earlier.prefix}-pg-1")


def test_what_no_test_made_is_left_alone() -> None:
    assert not is_left_over("opsctl-prod-archiver-1")


def _run_pytest(folder: Path, test: str) -> subprocess.CompletedProcess[str]:
    (folder / "test_inner.py").write_text(test)
    (folder / "conftest.py").write_text(
        "import pathlib, pytest\n"
        "pytest_plugins = ('tests.engines.plugin',)\n"
        "@pytest.fixture\n"
        f"def report(): return pathlib.Path({str(folder / 'report')!r})\n"
    )
    (folder / "pytest.ini").write_text("[pytest]\nmarkers = engine(name): as outside\n")
    environ = {name: value for name, value in os.environ.items() if name != "PYTEST_ADDOPTS"}
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:xdist", "--rootdir", str(folder), str(folder)],
        env={**environ, "PYTHONPATH": str(_ROOT), "OPSCTL_REQUIRE": "docker,postgres,redis"},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=140,
    )


def _is_running(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _owned_by(pid: int, engine: DockerEngine) -> list[str]:
    kinds = (("ps", "--all"), ("network", "ls"))
    columns = '{{.Label "opsctl.test.owner"}}|{{.Label "com.docker.compose.project"}}'
    lines = [line for kind in kinds for line in engine.run(*kind, "--format", columns).splitlines()]
    return [line for line in lines if f"opsctltest-{pid}-" in line]
