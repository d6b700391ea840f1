"""A machine moves from the engine's classic image store to containerd's: its images are gone."""

import json
from pathlib import Path

import pytest

from tests.engines.docker import BUSYBOX, DockerEngine
from tests.engines.own_engine import OwnEngine
from tests.scenarios.deploy.conftest import make_project
from tests.scenarios.deploy.deployed_project import WEB, DeployedProject


def _use_store(engine: OwnEngine, *, containerd: bool) -> None:
    """Restart the engine on its other store; containers and images of the first are not there."""
    engine.stop_dead()
    features = {"features": {"containerd-snapshotter": containerd}}
    (engine.home / "daemon.json").write_text(json.dumps(features))
    engine.start_up()


def _has_two_stores(engine: OwnEngine) -> bool:
    major = engine.run("version", "--format", "{{.Server.Version}}").partition(".")[0]
    return int(major) >= 28


def _read_data(project: DeployedProject) -> str:
    return project.engine.run("exec", project.container_name("web"), "cat", "/data/kept")


@pytest.fixture
def moved(
    brittle_engine: OwnEngine, docker_engine: DockerEngine, tmp_path: Path
) -> DeployedProject:
    """Two releases on the classic store, and then the other one, with the base image only."""
    if not _has_two_stores(brittle_engine):
        pytest.skip("docker: this engine has one image store")
    _use_store(brittle_engine, containerd=False)
    brittle_engine.load(BUSYBOX, source=docker_engine)
    project = make_project(brittle_engine, tmp_path)
    project.write_compose_file({"web": {**WEB, "volumes": ["precious:/data"]}})
    for version in ("1", "2"):
        project.commit_version(version)
        project.run_up()
    project.engine.run("exec", project.container_name("web"), "sh", "-c", "echo kept >/data/kept")
    _use_store(brittle_engine, containerd=True)
    brittle_engine.load(BUSYBOX, source=docker_engine)
    return project


def test_after_a_move_to_another_image_store_everything_is_built_again(
    moved: DeployedProject,
) -> None:
    status = moved.opsctl("status", "--no-stats")
    rolled_back = moved.opsctl("rollback")
    first = (moved.served_version(), _read_data(moved))
    deployed = moved.opsctl("up")

    assert status.exit_code == 3
    assert "web: missing" in status.out
    assert "build it from commit" in rolled_back.out + rolled_back.err
    assert (rolled_back.exit_code, first) == (0, ("1", "kept")), rolled_back.err
    assert (deployed.exit_code, moved.served_version()) == (0, "2"), deployed.err
    assert _read_data(moved) == "kept"
