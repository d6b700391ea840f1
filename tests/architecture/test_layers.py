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


def shape_of(folder: Path, files: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run scripts/shape on a repository that holds just these files."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
    return subprocess.run(
        [sys.executable, TOP / "scripts/shape"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("files", "problem"),
    [
        ({"planted.py": "def long() -> None:\n" + "    print()\n" * 40}, "long: 41 lines"),
        ({"planted.py": "# a line\n" * 401}, "planted.py: 401 lines"),
        (
            {f"opsctl/disk/file_{number}.py": "" for number in range(21)},
            "too full: opsctl/disk: 21 files",
        ),
        (
            {f"opsctl/{name}.py": "class Run: ...\n" for name in ("a", "b", "c")},
            "class Run is defined in opsctl/a.py, opsctl/b.py, opsctl/c.py",
        ),
    ],
)
def test_what_breaks_a_limit_of_shape_is_reported(
    tmp_path: Path, files: dict[str, str], problem: str
) -> None:
    answer = shape_of(tmp_path, files)

    assert answer.returncode == 1
    assert problem in answer.stderr


def test_what_is_at_a_limit_of_shape_is_fine(tmp_path: Path) -> None:
    at_limit = {
        "planted.py": "def long() -> None:\n" + "    print()\n" * 39,
        "opsctl/a.py": "class Run: ...\n",
        "opsctl/b.py": "class Run: ...\n",
        **{f"opsctl/disk/file_{number}.py": "" for number in range(20)},
        **{f"opsctl/policy/rules/file_{number}.py": "" for number in range(21)},
    }

    assert shape_of(tmp_path, at_limit).returncode == 0
