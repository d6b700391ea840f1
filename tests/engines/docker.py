"""The real Docker engine; what tests start in it carries their name, and goes by that name."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.engines.addresses import LOOPBACK
from tests.engines.owner import is_left_over, this_process
from tests.engines.require import give_up

HOST_VARIABLE = "OPSCTL_TEST_DOCKER_HOST"
VERSION_VARIABLE = "OPSCTL_TEST_DOCKER_VERSION"
ADDRESS_VARIABLE = "OPSCTL_TEST_DOCKER_ADDRESS"
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


def client_environment() -> dict[str, str]:
    """What a program needs of our environment to find the client and its plugins."""
    return {name: os.environ[name] for name in ("PATH", "DOCKER_CONFIG") if name in os.environ}


@dataclass(frozen=True)
class DockerEngine:
    host: str

    @property
    def address(self) -> str:
        """Where its published ports are reached: it may have a network of its own."""
        return os.environ.get(ADDRESS_VARIABLE, LOOPBACK)

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


@pytest.fixture(scope="session", autouse=True)
def own_docker_config(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Let the client use the plugins that it was told of, and keep what it writes to itself."""
    told = os.environ.get("DOCKER_CONFIG")
    if told is None:
        yield
        return
    folder = tmp_path_factory.mktemp("docker-config")
    (folder / "cli-plugins").symlink_to(Path(told) / "cli-plugins")
    os.environ["DOCKER_CONFIG"] = str(folder)
    yield
    os.environ["DOCKER_CONFIG"] = told


@pytest.fixture(scope="session")
def docker_engine(own_docker_config: None) -> Iterator[DockerEngine]:
    """Reach the engine, after sweeping what killed test runs left in it."""
    del own_docker_config
    engine = DockerEngine(_host())
    if shutil.which("docker") is None:
        give_up("docker", "no docker client in PATH; scripts/ci/testbed up")
    version = engine.attempt("version", "--format", "{{.Server.Version}}", timeout_s=_ANSWER_S)
    if version.returncode != 0:
        give_up("docker", f"no engine answers at {engine.host}; scripts/ci/testbed up")
    if not is_expected(version.stdout, os.environ.get(VERSION_VARIABLE, "")):
        give_up("docker", f"{engine.host} is engine {version.stdout.strip()}, another was expected")
    if engine.attempt("compose", "version").returncode != 0:
        give_up("docker", "the client has no compose; scripts/ci/testbed up")
    engine.remove(is_left_over)
    yield engine
    engine.remove(lambda name: name.startswith(this_process().prefix))


def is_expected(version: str, expected: str) -> bool:
    """Say whether a version begins with the numbers that were asked for; any does if none were."""
    return f"{version.strip()}.".startswith(f"{expected}." if expected else "")


def _host() -> str:
    default = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")
    return os.environ.get(HOST_VARIABLE, default)
