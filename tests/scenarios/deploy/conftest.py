import json
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from tests.engines.docker import BUSYBOX, DockerEngine
from tests.engines.own_engine import OwnEngine
from tests.scenarios.deploy.stage import Stage


@pytest.fixture
def stage(own_engine: OwnEngine, docker_engine: DockerEngine, tmp_path: Path) -> Iterator[Stage]:
    """A project whose checkout is clean and published, and nothing of it runs yet."""
    own_engine.load(BUSYBOX, source=docker_engine)
    made = make_stage(own_engine, tmp_path)
    yield made
    own_engine.remove(lambda name: made.name in name)


@pytest.fixture
def prod(stage: Stage) -> Stage:
    stage.env = "prod"
    return stage


def make_stage(engine: OwnEngine, folder: Path) -> Stage:
    name = f"shop{uuid4().hex[:6]}"
    directory = folder / "project"
    (directory / "configs").mkdir(parents=True)
    settings = {"project": {"name": name}}
    (directory / "configs" / "opsctl.yaml").write_text(json.dumps(settings))
    made = Stage(engine, directory, name)
    made.git("init", "--quiet", "--initial-branch", "main")
    return made
