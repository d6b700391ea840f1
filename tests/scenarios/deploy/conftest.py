import json
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from tests.engines.docker import BUSYBOX, DockerEngine
from tests.engines.own_engine import OwnEngine
from tests.scenarios.deploy.deployed_project import DeployedProject


@pytest.fixture
def project(
    own_engine: OwnEngine, docker_engine: DockerEngine, tmp_path: Path
) -> Iterator[DeployedProject]:
    """A project with a new checkout, of which nothing runs yet."""
    own_engine.load(BUSYBOX, source=docker_engine)
    made = make_project(own_engine, tmp_path)
    yield made
    own_engine.remove(lambda name: made.name in name)


@pytest.fixture
def prod(project: DeployedProject) -> DeployedProject:
    project.env = "prod"
    return project


def make_project(engine: OwnEngine, folder: Path) -> DeployedProject:
    name = f"shop{uuid4().hex[:6]}"
    directory = folder / "project"
    (directory / "configs").mkdir(parents=True)
    settings = {"project": {"name": name}}
    (directory / "configs" / "opsctl.yaml").write_text(json.dumps(settings))
    made = DeployedProject(engine, directory, name)
    made.git("init", "--quiet", "--initial-branch", "main")
    return made
