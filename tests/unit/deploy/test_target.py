from pathlib import Path
from typing import Any

import pytest

from opsctl.deploy.target import read_engine_address, read_target
from opsctl.errors import SettingsError
from opsctl.settings import Settings
from opsctl.settings.reading.validate import validate_section

HERE = Path("/srv/shop")


def _settings(env: str = "dev", **sections: Any) -> Settings:
    return validate_section(Settings, {"env": env, "project": {"name": "shop"}, **sections})


@pytest.mark.parametrize(
    ("env", "project", "file", "app_env"),
    [
        ("prod", "shop-prod", "docker-compose.prod.yml", "production"),
        ("dev", "shop-dev", "docker-compose.dev.yml", "development"),
        ("local", "shop-local", "docker-compose.dev.yml", "development"),
    ],
)
def test_each_environment_has_its_own_project(
    env: str, project: str, file: str, app_env: str
) -> None:
    target = read_target(_settings(env), HERE, {})

    assert (target.project, target.files, target.app_env) == (project, (Path(file),), app_env)


def test_the_settings_override_the_defaults() -> None:
    own = {"compose_file": "stack.yml", "project": "other", "profiles": ["tools"]}

    target = read_target(_settings(environments={"dev": own}), HERE, {})

    assert (target.project, target.files, target.profiles) == (
        "other",
        (Path("stack.yml"),),
        ("tools",),
    )


@pytest.mark.parametrize(
    ("own", "setting", "environ", "expected"),
    [
        ("ssh://far", "unix:///x", "unix:///y", "ssh://far"),
        ("", "unix:///x", "unix:///y", "unix:///x"),
        ("", "", "unix:///y", "unix:///y"),
        ("", "", "", "unix:///var/run/docker.sock"),
    ],
)
def test_the_engine_of_the_environment_comes_first(
    own: str, setting: str, environ: str, expected: str
) -> None:
    settings = _settings(environments={"dev": {"host": own}}, engine={"host": setting})

    assert read_engine_address(settings, {"DOCKER_HOST": environ}) == expected


@pytest.mark.parametrize("host", ["prod", "tcp://prod:2375", "http://prod"])
def test_an_engine_that_is_neither_ssh_nor_a_socket_is_refused(host: str) -> None:
    with pytest.raises(SettingsError, match=r"cannot use environments\.dev\.host"):
        read_engine_address(_settings(environments={"dev": {"host": host}}), {})


def test_variables_that_configure_tools_do_not_come_from_the_shell() -> None:
    environ = {"TAG": "1", "COMPOSE_FILE": "x", "DOCKER_CONTEXT": "x", "GIT_DIR": "x"}

    target = read_target(_settings(), HERE, environ)

    assert target.compose_project().environment == {"TAG": "1", "APP_ENV": "development"}


@pytest.mark.parametrize(
    ("own", "dotenv", "profiles"),
    [
        ({}, {}, ()),
        ({}, {"COMPOSE_PROFILES": "web, tools,"}, ("web", "tools")),
        ({"profiles": ["own"]}, {"COMPOSE_PROFILES": "web"}, ("own",)),
    ],
)
def test_profiles_come_from_the_dotenv_where_the_settings_name_none(
    own: dict[str, Any], dotenv: dict[str, str], profiles: tuple[str, ...]
) -> None:
    target = read_target(_settings(environments={"dev": own}), HERE, {}, dotenv=dotenv)

    assert target.profiles == profiles
