import json
from pathlib import Path
from typing import Any

import pytest

from opsctl.settings import LoadedSettings, SettingsRequest, load_settings
from opsctl.settings.model import fields, is_secret, value_at
from opsctl.settings.sections.environments import Environment

PROJECT = Path("/project")
BASE = PROJECT / "configs/opsctl.yaml"
DOTENV = PROJECT / ".env"


class Notebook:
    """Remembers in a mapping, and counts how often it was written to."""

    def __init__(self) -> None:
        self.generation = "1"
        self.texts: dict[str, str] = {}
        self.written = 0

    def recall(self, name: str) -> str | None:
        return self.texts.get(name)

    def keep(self, name: str, text: str) -> None:
        self.texts[name] = text
        self.written += 1


class Desk:
    """A project whose settings are loaded again and again, each part of it open to change."""

    def __init__(self) -> None:
        self.files = {
            BASE: "redis: {port: 7001}\ndisk: {mounts: [/data=85/95/80]}\n"
            "environments: {prod: {host: 'ssh://a@b', profiles: [x, y]}}\n"
            "deploy: {fresh_tables: [{table: t}]}\n",
            DOTENV: "REDIS_PASSWORD=canary-dotenv\nKIS_SECRET=canary-of-the-stack\nREDIS_DB=3\n",
        }
        self.environ = {"DATABASE_URL": "postgresql://u:canary-environ@h/d", "HOME": "/root"}
        self.said: dict[str, Any] = {"env": None, "config": None, "flags": None}
        self.notebook = Notebook()

    def request(self) -> SettingsRequest:
        return SettingsRequest(PROJECT, self.environ, **self.said)

    def load_settings(self) -> LoadedSettings:
        return load_settings(self.request(), self.files.get, self.notebook)

    def load_anew(self) -> LoadedSettings:
        return load_settings(self.request(), self.files.get)


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_what_is_remembered_is_what_was_checked_with_every_origin(desk: Desk) -> None:
    first = desk.load()

    again = desk.load()

    assert desk.notebook.written == 1
    assert again == first == desk.load_anew()


def test_every_setting_comes_back_as_it_was(desk: Desk) -> None:
    for path, field in fields().items():
        if field.annotation is str and path != "env" and "pattern" not in field.bounds:
            desk.environ["OPSCTL_" + path.upper().replace(".", "_")] = str(field.default) or "x@y/z"
    for path in ("retention.roots", "limits.more", "notify.quiet_hours", "state.dir"):
        desk.environ.pop("OPSCTL_" + path.upper().replace(".", "_"), None)
    desk.load()

    settings = desk.load().resolved.settings

    assert desk.notebook.written == 1
    for path in fields():
        anew = value_at(desk.load_anew().resolved.settings, path)
        assert (value_at(settings, path), type(value_at(settings, path))) == (anew, type(anew))
    assert isinstance(settings.environments.prod, Environment)


def test_no_secret_is_remembered_and_all_come_back(desk: Desk) -> None:
    desk.load()

    settings = desk.load().resolved.settings

    assert "canary" not in "".join(desk.notebook.texts.values())
    assert settings.redis.password.get_secret_value() == "canary-dotenv"
    assert "canary-environ" in settings.database.url.get_secret_value()


def test_a_changed_secret_is_taken_without_checking_anew(desk: Desk) -> None:
    desk.load()
    desk.files[DOTENV] = desk.files[DOTENV].replace("canary-dotenv", "other")
    desk.environ["DATABASE_URL"] = "postgresql://other"

    settings = desk.load().resolved.settings

    assert desk.notebook.written == 1
    assert settings.redis.password.get_secret_value() == "other"
    assert settings.database.url.get_secret_value() == "postgresql://other"


def test_a_project_whose_file_holds_a_secret_is_not_remembered(desk: Desk) -> None:
    desk.files[BASE] += "database: {url: 'postgresql://u:canary@h/d'}\n"

    desk.load()

    assert desk.notebook.texts == {}


def test_an_empty_secret_in_a_file_is_none(desk: Desk) -> None:
    desk.files[BASE] += "database: {url: ''}\n"

    desk.load()

    assert desk.notebook.written == 1


def change_base(desk: Desk) -> None:
    desk.files[BASE] += "\nlogs: {level: info}\n"


def add_overlay(desk: Desk) -> None:
    desk.files[PROJECT / "configs/dev.yaml"] = "redis: {db: 8}"


def change_dotenv(desk: Desk) -> None:
    desk.files[DOTENV] = desk.files[DOTENV].replace("REDIS_DB=3", "REDIS_DB=4")


def move_in_dotenv(desk: Desk) -> None:
    desk.files[DOTENV] = "# moved by a line\n" + desk.files[DOTENV]


def lose_dotenv(desk: Desk) -> None:
    del desk.files[DOTENV]


def lose_secret(desk: Desk) -> None:
    desk.files[DOTENV] = desk.files[DOTENV].replace("canary-dotenv", "")


def set_variable(desk: Desk) -> None:
    desk.environ["OPSCTL_REDIS_PORT"] = "7002"


def name_environment(desk: Desk) -> None:
    desk.environ["APP_ENV"] = "production"


def give_flag(desk: Desk) -> None:
    desk.said["flags"] = {"redis.timeout_s": 3.0}


def say_environment(desk: Desk) -> None:
    desk.said["env"] = "prod"


def upgrade(desk: Desk) -> None:
    desk.notebook.generation = "2"


CHANGES = [
    change_base,
    add_overlay,
    change_dotenv,
    move_in_dotenv,
    lose_dotenv,
    lose_secret,
    set_variable,
    name_environment,
    give_flag,
    say_environment,
    upgrade,
]


@pytest.mark.parametrize("change", CHANGES)
def test_any_change_is_checked_anew(desk: Desk, change: Any) -> None:
    desk.load()
    change(desk)

    loaded = desk.load()

    assert desk.notebook.written == 2
    assert loaded == desk.load_anew()


def test_what_does_not_bear_on_settings_changes_nothing(desk: Desk) -> None:
    desk.load()
    desk.environ["PATH"] = "/elsewhere"
    desk.files[DOTENV] = desk.files[DOTENV].replace("canary-of-the-stack", "rotated")

    desk.load()

    assert desk.notebook.written == 1


def test_a_typo_in_a_variable_is_noticed_every_time(desk: Desk) -> None:
    desk.environ["OPSCTL_REDIS_PROT"] = "1"
    desk.load()

    assert [one.name for one in desk.load().unknown] == ["OPSCTL_REDIS_PROT"]


STRANGE = ["", "[]", "{}", "null", "{", '{"said": 1}', "\udcff"]


@pytest.mark.parametrize("text", STRANGE)
def test_an_entry_that_cannot_be_read_is_as_none(desk: Desk, text: str) -> None:
    first = desk.load()
    desk.notebook.texts = dict.fromkeys(desk.notebook.texts, text)

    assert desk.load() == first


@pytest.mark.parametrize("part", ["files", "values", "project_dir", "said"])
@pytest.mark.parametrize("strange", [None, 7, {"a": 1}, {"redis.prot": [1, "x", 2]}])
def test_an_entry_of_another_shape_is_as_none(desk: Desk, part: str, strange: object) -> None:
    first = desk.load()
    ((name, text),) = desk.notebook.texts.items()
    desk.notebook.texts[name] = json.dumps(json.loads(text) | {part: strange})

    assert desk.load() == first


def test_secrets_are_what_the_test_takes_them_for() -> None:
    assert is_secret(fields()["redis.password"])
    assert not is_secret(fields()["redis.db"])
