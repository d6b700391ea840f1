"""A project with migrations, the installed program, and a real database."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.migration_setup import KINDS, MigrationSetup, set_up_migrations, url_of
from tests.scenarios.conftest import Answer, Program


@dataclass(frozen=True, slots=True)
class Stage:
    """The program in a project folder, and a look at its database from beside."""

    program: Program
    setup: MigrationSetup

    def __call__(self, *words: str, **environ: str) -> Answer:
        return self.program("migrate", *words, environ=self.environ | environ)

    @property
    def environ(self) -> dict[str, str]:
        return {"DATABASE_URL": self.setup.url}

    def write(self, name: str, text: str) -> None:
        self.setup.write(name, text)


Staged = Callable[[str], Stage]


@pytest.fixture
def staged(opsctl: Program, request: pytest.FixtureRequest, tmp_path: Path) -> Staged:
    def stage(kind: str) -> Stage:
        opsctl.write("configs/opsctl.yaml", "project: {name: ticks}\n")
        url = url_of(kind, tmp_path, request.getfixturevalue)
        return Stage(opsctl, set_up_migrations(kind, url, opsctl.directory / "migrations"))

    return stage


@pytest.fixture(params=KINDS)
def anywhere(request: pytest.FixtureRequest, staged: Staged) -> Stage:
    return staged(request.param)


@pytest.fixture(params=["postgres", "timescale"])
def server(request: pytest.FixtureRequest, staged: Staged) -> Stage:
    return staged(request.param)


@pytest.fixture
def file(staged: Staged) -> Stage:
    """SQLite: what differs by dialect is not the claim."""
    return staged("sqlite")
