"""A project of one test's own, and what its tests leave in the engine."""

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import uuid4

import pytest

from tests.engines.docker import BUSYBOX, DockerEngine
from tests.scenarios.conftest import Answer, Program

FOREVER = "while :; do sleep 0.1; done"


@dataclass(frozen=True, slots=True)
class Site:
    opsctl: Program
    engine: DockerEngine
    name: str

    def __call__(self, *words: str, image: str = BUSYBOX, environ: dict[str, str]) -> Answer:
        return self.opsctl("test", "--image", image, *words, environ=environ)

    def sh(self, script: str, *words: str, environ: dict[str, str] | None = None) -> Answer:
        return self(*words, "--", "sh", "-c", script, environ=environ or {})

    def start(self, script: str, *words: str) -> subprocess.Popen[str]:
        return self.opsctl.start("test", "--image", BUSYBOX, *words, "--", "sh", "-c", script)

    def containers(self, *options: str) -> list[str]:
        """List those of this test's project, stopped ones included."""
        mine = ("--filter", f"label=opsctl.sandbox.project={self.name}")
        return self.engine.run("ps", "--all", *mine, *options, "--format", "{{.Names}}").split()

    def networks(self) -> list[str]:
        mine = ("--filter", f"label=opsctl.sandbox.project={self.name}")
        return self.engine.run("network", "ls", *mine, "--format", "{{.Name}}").split()


@pytest.fixture
def site(opsctl: Program, docker_engine: DockerEngine) -> Iterator[Site]:
    docker_engine.need_image("docker", BUSYBOX)
    opsctl.environ["DOCKER_HOST"] = docker_engine.host
    name = f"t{uuid4().hex[:8]}"
    assert opsctl("init", "--name", name).code == 0
    found = Site(opsctl, docker_engine, name)
    yield found
    for container in found.containers():
        docker_engine.attempt("rm", "--force", "--volumes", container)
    docker_engine.remove(lambda other: other.startswith(name))
