"""The layers hold because a break is seen: each test plants one in a copy."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

TOP = Path(__file__).parents[2]
Plant = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def plant(tmp_path: Path) -> Plant:
    """Copy the package, write lines into one of its files, and run a tool on the copy."""
    copy = tmp_path / "copy"
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(TOP / "opsctl", copy / "opsctl", ignore=ignored)
    shutil.copy(TOP / "pyproject.toml", copy)

    def run(file: str, lines: str, *tool: str) -> subprocess.CompletedProcess[str]:
        path = copy / file
        path.parent.mkdir(parents=True, exist_ok=True)
        (path.parent / "__init__.py").touch()
        old = path.read_text() if path.exists() else '"""Planted."""\n'
        path.write_text(f"{old}\n{lines}\n")
        program = Path(sys.executable).with_name(tool[0])
        return subprocess.run(
            [program, *tool[1:]],
            cwd=copy,
            env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(copy)},
            capture_output=True,
            text=True,
            check=False,
        )

    return run


LAYERS = "Imports only point down, and every package has its layer"
LINT = ("lint-imports", "--no-cache", "--no-logo")
BREAKS = [
    ("opsctl/errors.py", "import opsctl.logs", LAYERS),
    ("opsctl/settings/reading/origin.py", "import opsctl.logs", LAYERS),
    ("opsctl/systems/clock.py", "import opsctl.state", LAYERS),
    ("opsctl/state/store.py", "import opsctl.doctor.model", LAYERS),
    ("opsctl/doctor/judge.py", "import opsctl.init.plan", LAYERS),
    ("opsctl/doctor/judge.py", "import opsctl.wiring", LAYERS),
    ("opsctl/wiring/project.py", "import opsctl.cli.root", LAYERS),
    ("opsctl/helpers/__init__.py", "", LAYERS),
    ("opsctl/doctor/checks.py", "import docker", "Drivers are known to systems alone"),
    ("opsctl/state/store.py", "import sqlite3", "Drivers are known to systems alone"),
    ("opsctl/cli/commands/doctor.py", "import psycopg", "Drivers are known to systems alone"),
    ("opsctl/wiring/project.py", "import subprocess", "Drivers are known to systems alone"),
    ("opsctl/doctor/checks.py", "import click", "click and rich are known to cli alone"),
    (
        "opsctl/systems/files/local.py",
        "import rich.console",
        "click and rich are known to cli alone",
    ),
    ("opsctl/init/plan.py", "import os", "A plan is pure"),
    ("opsctl/disk/retention/plan.py", "import os", "A plan is pure"),
    ("opsctl/init/plan.py", "import opsctl.systems.files.local", "A plan is pure"),
]


@pytest.mark.parametrize(("file", "line", "contract"), BREAKS)
def test_a_planted_break_of_the_layers_is_reported(
    plant: Plant, file: str, line: str, contract: str
) -> None:
    answer = plant(file, line, *LINT)

    assert answer.returncode == 1
    assert f"{contract} BROKEN" in answer.stdout


def test_without_a_break_the_copy_is_clean(plant: Plant) -> None:
    assert plant("opsctl/errors.py", "", *LINT).returncode == 0


BANNED = [
    ("opsctl/doctor/judge.py", "import time\n\ntime.sleep(1)", "time.sleep"),
    ("opsctl/doctor/judge.py", "import datetime\n\ndatetime.datetime.now()", "datetime.now"),
    ("opsctl/doctor/judge.py", "import subprocess", "subprocess"),
    ("opsctl/cli/commands/doctor.py", "import os\n\nos.system('true')", "os.system"),
]


@pytest.mark.parametrize(("file", "lines", "name"), BANNED)
def test_a_planted_sleep_clock_or_process_is_reported(
    plant: Plant, file: str, lines: str, name: str
) -> None:
    answer = plant(file, lines, "ruff", "check", "--no-cache", "--select", "TID251", "opsctl")

    assert answer.returncode == 1
    assert "TID251" in answer.stdout
    assert name in answer.stdout


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("def long() -> None:\n" + "    print()\n" * 40, "long: 41 lines"),
        ("# a line\n" * 401, "planted.py:"),
    ],
)
def test_what_grew_too_long_is_reported(tmp_path: Path, lines: str, said: str) -> None:
    (tmp_path / "planted.py").write_text(lines)
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)

    answer = subprocess.run(
        [sys.executable, TOP / "scripts/shape"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert answer.returncode == 1
    assert said in answer.stderr
