from pathlib import Path
from typing import Any

import pytest

from opsctl.deploy.target import engine_named, target
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
def test_each_environment_is_a_project_of_its_own(
    env: str, project: str, file: str, app_env: str
) -> None:
    made = target(_settings(env), HERE, {})

    assert (made.project, made.files, made.app_env) == (project, (Path(file),), app_env)


def test_the_settings_may_say_otherwise() -> None:
    own = {"compose_file": "stack.yml", "project": "other", "profiles": ["tools"]}

    made = target(_settings(environments={"dev": own}), HERE, {})

    assert (made.project, made.files, made.profiles) == ("other", (Path("stack.yml"),), ("tools",))


@pytest.mark.parametrize(
    ("own", "setting", "environ", "expected"),
    [
        ("ssh://far", "unix:///x", "unix:///y", "ssh://far"),
        ("", "unix:///x", "unix:///y", "unix:///x"),
        ("", "", "unix:///y", "unix:///y"),
        ("", "", "", "unix:///var/run/docker.sock"),
    ],
)
def test_the_environments_own_word_on_its_engine_comes_first(
    own: str, setting: str, environ: str, expected: str
) -> None:
    settings = _settings(environments={"dev": {"host": own}}, engine={"host": setting})

    assert engine_named(settings, {"DOCKER_HOST": environ}) == expected


@pytest.mark.parametrize("host", ["prod", "tcp://prod:2375", "http://prod"])
def test_a_bare_engine_is_a_wrong_setting(host: str) -> None:
    with pytest.raises(SettingsError, match="host is"):
        engine_named(_settings(environments={"dev": {"host": host}}), {})


def test_what_steers_the_tools_does_not_come_from_the_shell() -> None:
    environ = {"TAG": "1", "COMPOSE_FILE": "x", "DOCKER_CONTEXT": "x", "GIT_DIR": "x"}

    made = target(_settings(), HERE, environ)

    assert made.compose_project().environment == {"TAG": "1", "APP_ENV": "development"}
