import json
from pathlib import Path

import pytest

from opsctl.systems.docker.plugins import find_plugin


@pytest.fixture
def system(tmp_path: Path) -> Path:
    return install(tmp_path / "system")


def install(folder: Path) -> Path:
    folder.mkdir(parents=True)
    path = folder / "docker-compose"
    path.touch(0o755)
    return path


def found(environ: dict[str, str], system: Path) -> Path | None:
    return find_plugin("compose", environ, (str(system.parent),))


def test_the_machines_own_is_found(system: Path, tmp_path: Path) -> None:
    assert found({"HOME": str(tmp_path)}, system) == system


def test_the_users_own_comes_before_it(system: Path, tmp_path: Path) -> None:
    own = install(tmp_path / ".docker/cli-plugins")

    assert found({"HOME": str(tmp_path)}, system) == own != system


def test_the_folder_of_the_configuration_may_be_named(system: Path, tmp_path: Path) -> None:
    own = install(tmp_path / "elsewhere/cli-plugins")
    environ = {"HOME": str(tmp_path), "DOCKER_CONFIG": str(tmp_path / "elsewhere")}

    assert found(environ, system) == own != system


def test_folders_in_the_configuration_of_docker_come_first(system: Path, tmp_path: Path) -> None:
    install(tmp_path / ".docker/cli-plugins")
    extra = install(tmp_path / "extra")
    said = {"cliPluginsExtraDirs": [str(extra.parent)]}
    (tmp_path / ".docker/config.json").write_text(json.dumps(said))

    assert found({"HOME": str(tmp_path)}, system) == extra != system


@pytest.mark.parametrize("text", ["{", "[]", '{"cliPluginsExtraDirs": 7}', "\udcff"])
def test_a_configuration_that_cannot_be_read_is_left_to_docker(
    system: Path, tmp_path: Path, text: str
) -> None:
    (tmp_path / ".docker").mkdir()
    (tmp_path / ".docker/config.json").write_text(text, errors="surrogateescape")

    assert system.exists()
    assert found({"HOME": str(tmp_path)}, system) is None


def test_what_cannot_be_run_is_passed_over(system: Path, tmp_path: Path) -> None:
    system.chmod(0o644)

    assert found({"HOME": str(tmp_path)}, system) is None
