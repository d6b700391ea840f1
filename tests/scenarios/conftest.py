"""The installed program, run as a person or CI would run it."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.engines.docker import client_environment

OPSCTL = Path(sys.executable).with_name("opsctl")


@dataclass(frozen=True, slots=True)
class Answer:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        (line,) = self.out.splitlines()
        return json.loads(line)


@dataclass(frozen=True, slots=True)
class Program:
    """opsctl in a folder of its own, with a home of its own and nothing else of our environment."""

    directory: Path
    environ: dict[str, str]
    within: tuple[str, ...] = ()
    """What comes before it, to run it elsewhere: see tests.engines.network."""

    def __call__(self, *words: str, environ: dict[str, str] | None = None) -> Answer:
        done = subprocess.run(
            [*self.within, OPSCTL, *words],
            cwd=self.directory,
            env=self.environ | (environ or {}),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
        return Answer(done.returncode, done.stdout, done.stderr)

    def start(self, *words: str, environ: dict[str, str] | None = None) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*self.within, OPSCTL, *words],
            cwd=self.directory,
            env=self.environ | (environ or {}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def write(self, name: str, text: str) -> Path:
        path = self.directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path


@pytest.fixture
def opsctl(tmp_path: Path) -> Program:
    # Beside what other fixtures make in the test's own folder.
    project, home = tmp_path / "at/project", tmp_path / "at/home"
    project.mkdir(parents=True)
    home.mkdir()
    kept = {"PYTHONPATH": os.environ["PYTHONPATH"]} if "PYTHONPATH" in os.environ else {}
    kept |= client_environment()
    return Program(project, {**kept, "HOME": str(home), "LC_ALL": "C.UTF-8"})


@pytest.fixture
def project(opsctl: Program) -> Program:
    """A project as `opsctl init` leaves it, without a Redis."""
    assert opsctl("init").code == 0
    opsctl.write(".env", "REDIS_ENABLED=false\n")
    return opsctl


@pytest.fixture
def git() -> Callable[..., str]:
    def run(directory: Path, *words: str) -> str:
        who = ("-c", "user.name=Somebody", "-c", "user.email=somebody@example.org")
        done = subprocess.run(
            ["git", *who, *words], cwd=directory, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    return run
