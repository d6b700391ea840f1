from pathlib import Path

import pytest

from opsctl.errors import SettingsError
from opsctl.settings import LoadedSettings, Settings
from opsctl.settings.model import fields, value_at, variables
from opsctl.settings.reading.layers import RESERVED_PREFIXES
from opsctl.settings.secret import Secret
from tests.unit.settings.conftest import Load

BASE = "configs/opsctl.yaml"


def origin(loaded: LoadedSettings, path: str) -> str:
    return next(found.origin for found in loaded.resolved.describe() if found.path == path)


LAYERS = [
    ("default", {}, {}, {}, 6379, "default"),
    ("base", {BASE: "redis:\n  port: 1\n"}, {}, {}, 1, f"{BASE}:2"),
    ("overlay", {BASE: "redis: {port: 1}", "configs/dev.yaml": "redis:\n port: 2\n"}, {}, {}, 2,
     "configs/dev.yaml:2"),
    (".env", {BASE: "", "configs/dev.yaml": "redis:\n port: 2\n", ".env": "REDIS_PORT=3\n"}, {}, {},
     3, ".env:1"),
    ("environment", {BASE: "", ".env": "REDIS_PORT=3\n"}, {"REDIS_PORT": "4"}, {}, 4,
     "environment REDIS_PORT"),
    ("own variable", {BASE: ""}, {"REDIS_PORT": "4", "OPSCTL_REDIS_PORT": "5"}, {}, 5,
     "environment OPSCTL_REDIS_PORT"),
    ("flag", {BASE: ""}, {"OPSCTL_REDIS_PORT": "5"}, {"redis.port": 6}, 6, "flag"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("files", "environ", "flags", "port", "place"),
    [layer[1:] for layer in LAYERS],
    ids=[str(layer[0]) for layer in LAYERS],
)
def test_the_stronger_source_wins_and_is_named(
    load_from: Load,
    files: dict[str, str],
    environ: dict[str, str],
    flags: dict[str, object],
    port: int,
    place: str,
) -> None:
    loaded = load_from(files or None, environ=environ, flags=flags)

    assert loaded.resolved.settings.redis.port == port
    assert origin(loaded, "redis.port") == place


STACK = {
    "APP_ENV": ("production", "env", "prod"),
    "REDIS_HOST": ("cache.internal", "redis.host", "cache.internal"),
    "REDIS_PORT": ("26379", "redis.port", 26379),
    "REDIS_PASSWORD": ("hush", "redis.password", Secret("hush")),
    "REDIS_DB": ("3", "redis.db", 3),
    "REDIS_ENABLED": ("false", "redis.enabled", False),
    "DATABASE_URL": ("postgresql://h/d", "database.url", Secret("postgresql://h/d")),
    "CACHE_BACKEND": ("layered", "cache.backend", "layered"),
    "CACHE_REDIS_URL": ("redis://h/1", "cache.redis_url", Secret("redis://h/1")),
    "CACHE_L1_MAX_ENTRIES": ("7", "cache.l1_max_entries", 7),
    "CACHE_L1_MAX_MEMORY_MB": ("8", "cache.l1_max_memory_mb", 8),
    "DOCKER_HOST": ("unix:///x.sock", "engine.host", "unix:///x.sock"),
}


@pytest.mark.parametrize("name", STACK)
def test_the_stacks_own_variables_are_honoured(load_from: Load, name: str) -> None:
    text, path, value = STACK[name]

    loaded = load_from(environ={name: text})

    assert value_at(loaded.resolved.settings, path) == value


def test_every_setting_has_a_variable_of_its_own_and_no_two_share_one() -> None:
    names = [name for path, field in fields().items() for name in variables(path, field)]

    assert len(set(names)) == len(names)
    assert not [name for name in names if name.startswith(RESERVED_PREFIXES)]


def test_an_empty_variable_counts_as_unset(load_from: Load) -> None:
    loaded = load_from({BASE: "redis:\n  host: kept\n"}, environ={"REDIS_HOST": ""})

    assert loaded.resolved.settings.redis.host == "kept"


def test_a_list_is_written_with_commas_in_a_variable(load_from: Load) -> None:
    loaded = load_from(environ={"OPSCTL_DOCTOR_URLS": "http://a, http://b"})

    assert loaded.resolved.settings.doctor.urls == ("http://a", "http://b")


WRONG = [
    ("redis:\n  prot: 1\n", f"{BASE}:2: redis.prot is not a setting", "Did you mean redis.port?"),
    ("\nreddis:\n  port: 1\n", f"{BASE}:2: reddis is not a setting", "Did you mean redis?"),
    ("redis:\n  port: abc\n", f"{BASE}:2: redis.port is wrong", "redis.port: Port."),
    ("redis:\n  port: true\n", f"{BASE}:2: redis.port is wrong", "redis.port: Port."),
    ("redis:\n  port: 70000\n", f"{BASE}:2: redis.port is wrong", "redis.port: Port."),
    ("redis:\n  port: [1]\n", f"{BASE}:2: redis.port is wrong", "redis.port: Port."),
    ("redis: 7\n", f"{BASE}:1: redis is a section", "Write its keys below redis:"),
    ("env: production\n", f"{BASE}:1: 'production' is not an environment", "prod, dev, local"),
    ("experiment:\n  redis_db: 9\n", f"{BASE}:2: experiment.redis_db is wrong", "Redis index"),
    ("cache:\n  backend: disk\n", f"{BASE}:2: cache.backend is wrong", "memory, redis, or layered"),
    ("project:\n  name: Bad Name\n", f"{BASE}:2: project.name is wrong", "project.name: Name"),
]


@pytest.mark.parametrize(("text", "what", "hint"), WRONG)
def test_a_wrong_setting_is_named_with_place_and_way_out(
    load_from: Load, text: str, what: str, hint: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        load_from({BASE: text})

    assert caught.value.what == what
    assert hint in caught.value.hint


def test_all_wrong_settings_are_named_at_once(load_from: Load) -> None:
    with pytest.raises(SettingsError) as caught:
        load_from({BASE: "redis:\n  port: x\n  db: -1\n"})

    assert caught.value.what == "2 settings are wrong"
    assert f"{BASE}:2: redis.port" in caught.value.why
    assert f"{BASE}:3: redis.db" in caught.value.why


def test_a_wrong_variable_is_named(load_from: Load) -> None:
    with pytest.raises(SettingsError, match=r"^environment REDIS_PORT: redis\.port is wrong"):
        load_from(environ={"REDIS_PORT": "many"})


def test_a_wrong_secret_is_not_repeated(load_from: Load) -> None:
    with pytest.raises(SettingsError) as caught:
        load_from({BASE: "redis:\n  password: [canary]\n"})

    told = f"{caught.value.what} {caught.value.why} {caught.value.hint}"
    assert "redis.password is wrong" in told
    assert "canary" not in told


def test_app_env_knows_two_words(load_from: Load) -> None:
    with pytest.raises(SettingsError) as caught:
        load_from(environ={"APP_ENV": "prodution"})

    assert caught.value.hint == "Did you mean production?"


ENVIRONMENTS = [
    ("prod", {"APP_ENV": "development"}, "", "env: local\n", "prod"),
    (None, {"OPSCTL_ENV": "local", "APP_ENV": "production"}, "", "", "local"),
    (None, {"APP_ENV": "production"}, "OPSCTL_ENV=dev\n", "", "prod"),
    (None, {}, "APP_ENV=production\n", "env: local\n", "prod"),
    (None, {}, "", "env: local\n", "local"),
    (None, {}, "", "", "dev"),
]


@pytest.mark.parametrize(("flag", "environ", "dotenv", "base", "meant"), ENVIRONMENTS)
def test_the_environment_follows_flag_variable_dotenv_file_default(
    load_from: Load, flag: str | None, environ: dict[str, str], dotenv: str, base: str, meant: str
) -> None:
    loaded = load_from({BASE: base, ".env": dotenv}, environ=environ, env=flag)

    assert loaded.resolved.settings.env == meant


def test_local_is_dev_with_its_own_last_word(load_from: Load) -> None:
    files = {
        BASE: "",
        "configs/dev.yaml": "redis: {port: 1, db: 1}",
        "configs/local.yaml": "redis: {db: 2}",
        "configs/prod.yaml": "redis: {port: 9}",
    }

    loaded = load_from(files, env="local")

    assert (loaded.resolved.settings.redis.port, loaded.resolved.settings.redis.db) == (1, 2)
    assert loaded.files == (BASE, "configs/dev.yaml", "configs/local.yaml")


def test_settings_are_found_from_a_folder_below(load_from: Load) -> None:
    loaded = load_from({BASE: "redis: {port: 1}"}, directory=Path("/project/a/b"))

    assert loaded.project_dir == Path("/project")


def test_without_settings_the_way_to_make_some_is_named(load_from: Load) -> None:
    with pytest.raises(SettingsError) as caught:
        load_from({"README": ""})

    assert "opsctl init" in caught.value.hint


def test_a_named_file_takes_the_place_of_the_base(load_from: Load) -> None:
    files = {"other/mine.yaml": "redis: {port: 1}", "other/dev.yaml": "redis: {db: 4}"}

    loaded = load_from(files, config="other/mine.yaml")

    assert (loaded.resolved.settings.redis.port, loaded.resolved.settings.redis.db) == (1, 4)


def test_a_variable_that_sets_nothing_is_noticed(load_from: Load) -> None:
    environ = {"OPSCTL_REDIS_PROT": "1", "OPSCTL_REQUIRE": "x", "OPSCTL_TEST_A": "x"}

    loaded = load_from(environ=environ)

    assert [variable.name for variable in loaded.unknown] == ["OPSCTL_REDIS_PROT"]


def test_settings_are_frozen() -> None:
    with pytest.raises(AttributeError, match="frozen"):
        Settings().redis.port = 1  # type: ignore[misc] # the point of the test
