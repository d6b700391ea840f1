from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from opsctl import __version__
from tests.engines.docker import DockerEngine
from tests.engines.owner import this_process

_ROOT = Path(__file__).parents[3]
_BUILD_S = 300
_UNCOMPILED = """
import importlib.util, pathlib, opsctl
files = pathlib.Path(opsctl.__file__).parent.rglob("*.py")
print([f for f in files if not pathlib.Path(importlib.util.cache_from_source(f)).exists()])
"""


@pytest.fixture(scope="module")
def image(docker_engine: DockerEngine) -> Iterator[str]:
    docker_engine.need_image("docker", "python:3.13-slim")
    name = f"{this_process().prefix}-{uuid4().hex[:6]}"
    docker_engine.run("build", "--tag", name, str(_ROOT), timeout_s=_BUILD_S)
    yield name
    docker_engine.run("image", "rm", "--force", name)


@pytest.mark.timeout(_BUILD_S + 60)
def test_the_image_runs_opsctl_as_nobody_in_particular(
    docker_engine: DockerEngine, image: str
) -> None:
    run = ("run", "--rm", "--entrypoint")

    version = docker_engine.run("run", "--rm", image, "--version")
    user = docker_engine.run(*run, "id", image, "-u")
    uncompiled = docker_engine.run(*run, "python", image, "-c", _UNCOMPILED)

    assert __version__ in version
    assert user == "10001"
    assert uncompiled == "[]"
