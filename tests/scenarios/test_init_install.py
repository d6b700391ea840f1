"""What `opsctl init --install-from` writes installs opsctl, and without it nothing is installed."""

import os
import shutil
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from opsctl import __version__
from tests.engines.docker import DockerEngine
from tests.engines.owner import this_process
from tests.scenarios.conftest import Program

TOP = Path(__file__).parents[2]
WORKFLOW = ".github/workflows/opsctl.yml"
PYTHON = "python:3.13-slim"
ADDRESS = "git+https://example.org/owner/opsctl@0123456789abcdef0123456789abcdef01234567"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build this checkout once, offline."""
    folder = tmp_path_factory.mktemp("wheel")
    words = ("-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index")
    subprocess.run([sys.executable, *words, "-w", folder, TOP], check=True, timeout=100)
    (wheel,) = folder.iterdir()
    return wheel


@dataclass(frozen=True, slots=True)
class Runner:
    """A CI runner: a fresh environment, and a pipx that installs into it without a network."""

    bin: Path

    def run(self, script: str, directory: Path) -> subprocess.CompletedProcess[str]:
        environ = os.environ | {
            "PATH": f"{self.bin}:{os.environ['PATH']}",
            "PIP_NO_INDEX": "1",
            "PIP_NO_DEPS": "1",
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        }
        environ.pop("PYTHONPATH", None)
        return subprocess.run(
            ["bash", "-e", "-o", "pipefail", "-c", script],
            cwd=directory,
            env=environ,
            capture_output=True,
            text=True,
            check=False,
            timeout=100,
        )


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    home = tmp_path / "runner"
    words = ("-m", "venv", "--without-pip")
    subprocess.run([sys.executable, *words, home], check=True, timeout=60)
    (packages,) = home.glob("lib/python*/site-packages")
    # Our dependencies, without the link that makes this checkout importable.
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    pipx = home / "bin/pipx"
    pip = f'"{sys.executable}" -m pip --python "{home}/bin/python"'
    pipx.write_text(f'#!/bin/sh\nexec {pip} "$@"\n')
    pipx.chmod(0o755)
    return Runner(home / "bin")


def install_step(project: Program) -> str:
    document = yaml.safe_load((project.directory / WORKFLOW).read_text())
    steps: list[dict[str, Any]] = document["jobs"]["check"]["steps"]
    (command,) = [step["run"] for step in steps if step.get("name") == "Install opsctl"]
    assert isinstance(command, str)
    return command


@pytest.mark.parametrize("folder", ["wheels", 'it\'s $HOME "here"'])
def test_the_written_line_installs_a_working_opsctl(
    opsctl: Program, wheel: Path, runner: Runner, folder: str
) -> None:
    (opsctl.directory / folder).mkdir()
    shutil.copy(wheel, opsctl.directory / folder)
    assert opsctl("init", "--install-from", f"{folder}/{wheel.name}").code == 0

    installed = runner.run(install_step(opsctl), opsctl.directory)

    assert installed.returncode == 0, installed.stderr
    asked = runner.run("command -v opsctl; opsctl --version", opsctl.directory)
    assert asked.stdout.split("\n")[:2] == [
        str(runner.bin / "opsctl"),
        f"opsctl, version {__version__}",
    ]


def test_without_a_source_the_step_fails_and_installs_nothing(
    opsctl: Program, runner: Runner
) -> None:
    opsctl("init")

    answer = runner.run(install_step(opsctl), opsctl.directory)

    assert answer.returncode != 0
    assert "cannot install opsctl" in answer.stderr
    assert "pipx install SOURCE" in answer.stderr
    assert not (runner.bin / "opsctl").exists()


def test_the_wheel_is_called_by_the_free_name_and_brings_the_templates(wheel: Path) -> None:
    assert wheel.name == f"opsctl_stack-{__version__}-py3-none-any.whl"
    names = subprocess.run(
        [sys.executable, "-m", "zipfile", "-l", wheel], capture_output=True, text=True, check=True
    ).stdout
    assert "opsctl/init/templates/Dockerfile" in names


@pytest.mark.parametrize("name", ["opsctl", "opsctl-stack", "something"])
def test_a_bare_name_is_refused_before_anything_is_written(opsctl: Program, name: str) -> None:
    answer = opsctl("init", "--install-from", name)

    assert answer.code == 2
    assert f"cannot install opsctl from '{name}'" in answer.err
    assert "index" in answer.err or "not published" in answer.err
    assert list(opsctl.directory.iterdir()) == []


def test_the_plan_says_where_both_files_install_from(opsctl: Program) -> None:
    planned = opsctl("init", "-n", "--json", "--install-from", ADDRESS).json
    assert list(opsctl.directory.iterdir()) == []

    done = opsctl("init", "--json", "--install-from", ADDRESS).json

    assert planned == done
    assert done["install_from"] == ADDRESS
    reasons = {step["path"]: step["reason"] for step in done["steps"]}
    for name in (WORKFLOW, "Dockerfile"):
        assert ADDRESS in reasons[name]
        assert ADDRESS in (opsctl.directory / name).read_text()


def test_without_the_option_the_answer_says_that_both_files_fail(opsctl: Program) -> None:
    answer = opsctl("init", "--json").json

    assert answer["install_from"] is None
    reasons = {step["path"]: step["reason"] for step in answer["steps"]}
    assert "--install-from" in reasons[WORKFLOW]
    assert "--install-from" in reasons["Dockerfile"]


def test_a_second_run_touches_nothing_and_says_so(opsctl: Program) -> None:
    opsctl("init")
    before = {name: (opsctl.directory / name).read_bytes() for name in (WORKFLOW, "Dockerfile")}

    answer = opsctl("init", "--json", "--install-from", ADDRESS).json

    for step in answer["steps"]:
        assert step["action"] == "keep"
        assert ("--install-from left it untouched" in step["reason"]) == (step["path"] in before)
    for name, content in before.items():
        assert (opsctl.directory / name).read_bytes() == content


def build(project: Program, engine: DockerEngine) -> subprocess.CompletedProcess[str]:
    engine.need_image("docker", PYTHON)
    name = f"{this_process().prefix}-init"
    words = ("build", "--force-rm", "--network", "none", "-t", name, str(project.directory))
    return subprocess.run(
        ["docker", "--host", engine.host, *words],
        env=os.environ | {"DOCKER_BUILDKIT": "0"},
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )


def test_the_written_image_holds_opsctl(
    opsctl: Program, wheel: Path, docker_engine: DockerEngine
) -> None:
    (opsctl.directory / "wheel housé").mkdir()
    shutil.copy(wheel, opsctl.directory / "wheel housé")
    opsctl("init", "--install-from", f"wheel housé/{wheel.name}")
    file = opsctl.directory / "Dockerfile"
    offline = "AS build\nENV PIP_NO_INDEX=1 PIP_NO_DEPS=1\n"
    file.write_text(file.read_text().replace("AS build\n", offline))

    built = build(opsctl, docker_engine)

    assert built.returncode == 0, built.stdout + built.stderr
    image = f"{this_process().prefix}-init"
    place = docker_engine.run("run", "--rm", image, "python", "-c", "import opsctl; print(opsctl)")
    assert "/opt/opsctl/lib" in place


def test_without_a_source_no_image_is_built(opsctl: Program, docker_engine: DockerEngine) -> None:
    opsctl("init")

    built = build(opsctl, docker_engine)

    assert built.returncode != 0
    assert "cannot install opsctl: the Dockerfile names no source" in built.stdout + built.stderr
