"""A Compose project of one test's own: a folder, a name, and an end."""

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest

from tests.engines.docker import BUSYBOX, DockerEngine
from tests.engines.owner import this_process


@dataclass(frozen=True, slots=True)
class TempComposeProject:
    """All that is named after it is removed in the end, `<name>-<env>` projects included."""

    name: str
    directory: Path
    engine: DockerEngine

    def write(self, text: str, file: str = "docker-compose.yml") -> Path:
        path = self.directory / file
        path.write_text(text, "utf-8")
        return path

    def compose(self, *command: str, project: str = "") -> subprocess.CompletedProcess[str]:
        """Run plain docker compose, to set a stage or to look behind the product's back."""
        where = ("--project-directory", str(self.directory), "--project-name", project or self.name)
        return self.engine.attempt("compose", *where, *command)

    def containers(self) -> list[str]:
        """Name its containers, stopped ones included."""
        names = self.engine.run("ps", "--all", "--format", "{{.Names}}").split()
        return sorted(name for name in names if name.startswith(self.name))


@pytest.fixture
def compose_project(docker_engine: DockerEngine, tmp_path: Path) -> Iterator[TempComposeProject]:
    docker_engine.need_image("docker", BUSYBOX)
    name = f"{this_process().prefix}-{uuid4().hex[:6]}"
    directory = tmp_path / "project"
    directory.mkdir()
    yield TempComposeProject(name, directory, docker_engine)
    docker_engine.remove(lambda other: other.startswith(name))
