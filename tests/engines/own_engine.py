"""A Docker engine of a worker's own, in namespaces of its own: prune, stop and kill as you like."""

import shutil
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pytest

from tests.engines.daemon import Daemon
from tests.engines.disks import SmallDisk
from tests.engines.docker import BUSYBOX, DockerEngine
from tests.engines.require import give_up
from tests.engines.server_folders import ServerFolders

_ANSWER_S = 20
_LOAD_S = 110
# Alone with its processes, mounts and network: when the first of them dies, all of it is gone.
_APART = ("unshare", "--mount", "--pid", "--net", "--fork", "--kill-child", "--mount-proc")
_INSIDE = 'ip link set lo up; exec "$@"'


@dataclass(frozen=True)
class OwnEngine(DockerEngine):
    """Nobody else's images are here: whatever a test removes, it removes from itself."""

    home: Path
    data: Path

    @cached_property
    def daemon(self) -> Daemon:
        home = self.home
        argv = [
            "dockerd",
            f"--host={self.host}",
            f"--data-root={self.data}",
            f"--exec-root={home}/exec",
            f"--pidfile={home}/docker.pid",
            f"--config-file={home}/daemon.json",
            "--iptables=false",
            "--ip6tables=false",
            "--shutdown-timeout=2",
        ]
        log, kill = home / "dockerd.log", signal.SIGKILL
        inside = [*_APART, "sh", "-c", _INSIDE, "sh", *argv]
        return Daemon(inside, log=log, stop_by=kill, die_by=kill)

    def start_up(self) -> None:
        for stale in ("docker.pid", "exec/containerd/containerd.pid"):
            (self.home / stale).unlink(missing_ok=True)
        self.daemon.start(self.answers)

    def answers(self) -> bool:
        return self.attempt("version", timeout_s=_ANSWER_S).returncode == 0

    def stop_dead(self) -> None:
        """End the daemon and every container at once, as a crash of the machine would."""
        self.daemon.kill()

    def load(self, *images: str, source: DockerEngine) -> None:
        """Copy images that are not here; nothing is pulled."""
        missing = [one for one in images if self.attempt("image", "inspect", one).returncode]
        if not missing:
            return
        archive = self.home / "images.tar"
        source.run("image", "save", "--output", str(archive), *missing)
        self.run("image", "load", "--quiet", "--input", str(archive), timeout_s=_LOAD_S)


def start_own_engine(server_folders: ServerFolders, *, data: Path | None = None) -> OwnEngine:
    home = server_folders("engine")
    (home / "daemon.json").write_text("{}")
    engine = OwnEngine(f"unix://{home}/docker.sock", home, data or home / "data")
    engine.start_up()
    return engine


def _require_namespaces() -> None:
    for program in ("dockerd", "unshare", "ip"):
        if shutil.which(program) is None:
            give_up("docker", f"no {program} in PATH; scripts/ci/testbed up")
    done = subprocess.run([*_APART, "true"], capture_output=True, check=False, timeout=60)
    if done.returncode:
        give_up("root", "this user may not make namespaces")


@pytest.fixture(scope="session")
def own_engine(
    root_machine: None, docker_engine: DockerEngine, server_folders: ServerFolders
) -> Iterator[OwnEngine]:
    """One for this worker; its images are yours to remove."""
    del root_machine
    _require_namespaces()
    engine = start_own_engine(server_folders)
    engine.load(BUSYBOX, source=docker_engine)
    yield engine
    engine.daemon.stop()


@pytest.fixture
def brittle_engine(
    root_machine: None, docker_engine: DockerEngine, server_folders: ServerFolders
) -> Iterator[OwnEngine]:
    """One for this test alone, to be stopped and killed."""
    del root_machine
    _require_namespaces()
    engine = start_own_engine(server_folders)
    engine.load(BUSYBOX, source=docker_engine)
    yield engine
    engine.daemon.stop()


@pytest.fixture
def cramped_engine(
    small_disk: SmallDisk, docker_engine: DockerEngine, server_folders: ServerFolders
) -> Iterator[OwnEngine]:
    """One for this test alone, with 128 MiB for all its images and volumes."""
    _require_namespaces()
    engine = start_own_engine(server_folders, data=small_disk(128))
    engine.load(BUSYBOX, source=docker_engine)
    yield engine
    engine.daemon.stop()
