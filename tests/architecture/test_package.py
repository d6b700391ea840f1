"""The package says the truth about itself."""

import re
import subprocess
import sys
import tomllib
from itertools import pairwise
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

TOP = Path(__file__).parents[2]
PYPROJECT = tomllib.loads((TOP / "pyproject.toml").read_text())
DEPENDENCIES = PYPROJECT["project"]["dependencies"]
EXTRAS = [
    line
    for extra in PYPROJECT["project"].get("optional-dependencies", {}).values()
    for line in extra
]
DEV = PYPROJECT["dependency-groups"]["dev"]


def pins(name: str) -> dict[str, Version]:
    found = re.findall(r"^([a-z0-9.-]+)==([^ \\;]+)", (TOP / name).read_text(), re.MULTILINE)
    return {package: Version(version) for package, version in found}


@pytest.mark.parametrize(
    ("lock", "wanted"),
    [
        ("requirements.lock", DEPENDENCIES + EXTRAS + DEV),
        ("requirements.runtime.lock", DEPENDENCIES),
    ],
)
def test_the_lock_holds_what_the_project_asks_for(lock: str, wanted: list[str]) -> None:
    locked = pins(lock)

    for line in wanted:
        requirement = Requirement(line)
        assert requirement.name in locked, f"`make lock`: {line} is not in {lock}"
        assert locked[requirement.name] in requirement.specifier


def test_both_locks_pin_the_same_releases() -> None:
    everything = pins("requirements.lock")

    assert pins("requirements.runtime.lock").items() <= everything.items()


def test_every_pin_carries_a_hash_and_no_address() -> None:
    for lock in ("requirements.lock", "requirements.runtime.lock"):
        text = (TOP / lock).read_text()
        assert text.count("--hash=sha256:") >= len(pins(lock))
        assert "://" not in text


def test_every_dependency_says_what_it_is_for() -> None:
    text = (TOP / "pyproject.toml").read_text()
    block = text[text.index("dependencies = [") : text.index("]\n\n[project.scripts]")]
    lines = [line.strip() for line in block.splitlines()[1:]]

    for before, line in pairwise(lines):
        if line.startswith('"'):
            assert before.startswith("#"), f"{line} has no comment that says what for"


def test_the_package_is_typed_and_runs_as_a_module() -> None:
    assert (TOP / "opsctl/py.typed").exists()
    done = subprocess.run(
        [sys.executable, "-m", "opsctl", "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("opsctl, version ")


def test_the_changelog_knows_the_version() -> None:
    version = (TOP / "opsctl/__init__.py").read_text().split('__version__ = "')[1].split('"')[0]

    assert f"## {version}" in (TOP / "CHANGELOG.md").read_text()
