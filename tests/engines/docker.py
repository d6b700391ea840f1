"""The real Docker engine; what tests start in it carries their name, and goes by that name."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import pytest

from tests.engines.owner import is_left_over, this_process
from tests.engines.require import give_up

HOST_VARIABLE = "OPSCTL_TEST_DOCKER_HOST"
OWNER_LABEL = "opsctl.test.owner"
BUSYBOX = os.environ.get("OPSCTL_TEST_BUSYBOX_IMAGE", "busybox:1.37")
REDIS = os.environ.get("OPSCTL_TEST_REDIS_IMAGE", "redis:8.0.2")
TIMESCALE = os.environ.get("OPSCTL_TEST_TIMESCALE_IMAGE", "timescale/timescaledb:2.19.3-pg17")

_ANSWER_S = 60
_COMMAND_S = 120
_LABELS = f'{{{{.Label "{OWNER_LABEL}"}}}}|{{{{.Label "com.docker.compose.project"}}}}'
# How each kind is listed as "id|name|owner|project", and removed.
_KINDS = (
    (("ps", "--all"), "{{.ID}}|{{.Names}}|" + _LABELS, ("rm", "--force", "--volumes")),
    (("network", "ls"), "{{.ID}}|{{.Name}}|" + _LABELS, ("network", "rm")),
    (("volume", "ls"), "{{.Name}}|{{.Name}}|" + _LABELS, ("volume", "rm")),
    (("image", "ls"), "{{.Repository}}:{{.Tag}}|{{.Repository}}||", ("image", "rm", "--force")),
)


@dataclass(frozen=True)
class DockerEngine:
    host: str

    def attempt(
        self, *command: str, timeout_s: float = _COMMAND_S
    ) -> subprocess.CompletedProcess[str]:
        """Run a docker command; whether it went well is for the caller to see."""
        return subprocess.run(
            ["docker", "--host", self.host, *command],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=timeout_s,
        )

    def run(self, *command: str, timeout_s: float = _COMMAND_S) -> str:
        """Run a docker command that must go well, and return what it printed."""
        done = self.attempt(*command, timeout_s=timeout_s)
        assert done.returncode == 0, f"docker {' '.join(command)}: {done.stderr}"
        return done.stdout.strip()

    def start(self, image: str, *command: str, options: Sequence[str] = ()) -> str:
        """Start a container that is removed with this test process; return its id."""
        label = f"{OWNER_LABEL}={this_process().prefix}"
        caps = ("--memory", "512m", "--memory-swap", "512m")
        return self.run("run", "--detach", "--label", label, *caps, *options, image, *command)

    def need_image(self, engine: str, image: str) -> None:
        if self.attempt("image", "inspect", image).returncode != 0:
            give_up(engine, f"no image {image}; scripts/ci/testbed up")

    def remove(self, is_ours: Callable[[str], bool]) -> None:
        """Remove containers, networks, volumes and images whose name, owner or project is ours."""
        for listing, columns, removal in _KINDS:
            lines = self.run(*listing, "--format", columns).splitlines()
            doomed = [
                line.split("|")[0] for line in lines if any(map(is_ours, line.split("|")[1:]))
            ]
            if doomed:
                # Another worker may be sweeping the same: what is gone already is no trouble.
                self.attempt(*removal, *doomed)


@pytest.fixture(scope="session")
def docker_engine() -> Iterator[DockerEngine]:
    """Reach the engine, after sweeping what killed test runs left in it."""
    engine = DockerEngine(_host())
    if shutil.which("docker") is None:
        give_up("docker", "no docker client in PATH; scripts/ci/testbed up")
    if engine.attempt("info", timeout_s=_ANSWER_S).returncode != 0:
        give_up("docker", f"no engine answers at {engine.host}; scripts/ci/testbed up")
    if engine.attempt("compose", "version").returncode != 0:
        give_up("docker", "the client has no compose; scripts/ci/testbed up")
    engine.remove(is_left_over)
    yield engine
    engine.remove(lambda name: name.startswith(this_process().prefix))


def _host() -> str:
    default = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")
    return os.environ.get(HOST_VARIABLE, default)
