"""Broken settings: exit 6, one message, a place and a way out."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.scenarios.conftest import Program

BASE = "configs/opsctl.yaml"


def wrong_key(path: Path) -> None:
    path.write_text("redis:\n  prot: 1\n")


def wrong_type(path: Path) -> None:
    path.write_text("redis:\n  port: abc\n")


def missing(path: Path) -> None:
    path.unlink()


def bomb(path: Path) -> None:
    path.write_text("a: &a [x,x]\n" + "".join(f"b{i}: &b{i} [*a,*a]\n" for i in range(9)))


def not_text(path: Path) -> None:
    path.write_bytes(b"redis:\n  host: \xff\xfe\n")


def directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


def endless(path: Path) -> None:
    path.unlink()
    path.symlink_to("/dev/zero")


def loop(path: Path) -> None:
    path.unlink()
    path.symlink_to(path)


def huge(path: Path) -> None:
    path.write_text("# " + "x" * (2 << 20))


FAULTS: dict[str, tuple[Callable[[Path], None], str]] = {
    "a wrong key": (wrong_key, f"{BASE}:2"),
    "a wrong type": (wrong_type, f"{BASE}:2"),
    "a missing file": (missing, BASE),
    "a YAML bomb": (bomb, f"{BASE}:1"),
    "not UTF-8": (not_text, "line 2"),
    "a directory": (directory, "directory"),
    "an endless file": (endless, "not a regular file"),
    "a link to itself": (loop, "symbolic link"),
    "a huge file": (huge, "larger than"),
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("words", [("config", "check"), ("config", "show", "--json")])
def test_broken_settings_are_one_clear_message(
    project: Program, fault: str, words: tuple[str, ...]
) -> None:
    break_it, place = FAULTS[fault]
    break_it(project.directory / BASE)

    answer = project(*words)

    said = answer.out + answer.err
    assert answer.code == 6
    assert place in said
    assert "Traceback" not in said
    if "--json" in words:
        assert answer.json["error"]["fix"] or answer.json["error"]["why"]
    else:
        assert answer.err.count("Error:") == 1
        assert "try:" in answer.err or "why:" in answer.err


def test_a_broken_dotenv_is_named(project: Program) -> None:
    project.write(".env", 'FINE=1\nBROKEN="never closed\n')

    answer = project("config", "check")

    assert (answer.code, ".env:2" in answer.err) == (6, True)


def test_every_value_knows_its_origin(project: Program) -> None:
    project.write("configs/prod.yaml", "redis:\n  port: 7000\n")

    answer = project(
        "config", "show", "--origin", "--json", "-e", "prod", environ={"REDIS_DB": "4"}
    )

    shown = {value["path"]: (value["value"], value["origin"]) for value in answer.json["settings"]}
    assert shown["env"] == ("prod", "flag -e")
    assert shown["redis.port"] == (7000, "configs/prod.yaml:2")
    assert shown["redis.db"] == (4, "environment REDIS_DB")
    assert shown["redis.enabled"] == (False, ".env:1")
    assert shown["redis.host"][1].startswith(f"{BASE}:")


BEFORE_OR_AFTER = [
    ("-e", "prod", "config", "show"),
    ("config", "-e", "prod", "show"),
    ("config", "show", "-e", "prod"),
]


@pytest.mark.parametrize("words", BEFORE_OR_AFTER)
def test_the_environment_stands_before_or_after_the_command(
    project: Program, words: tuple[str, ...]
) -> None:
    assert project(*words, "--json").json["env"] == "prod"


def test_no_secret_is_shown_anywhere(project: Program) -> None:
    environ = {
        "REDIS_PASSWORD": "h1dden-one",
        "DATABASE_URL": "postgresql://app:h1dden-two@127.0.0.1:9/x",
        "CACHE_REDIS_URL": "redis://:h1dden-three@127.0.0.1:9/0",
    }
    commands = (
        ("config", "show", "--origin"),
        ("config", "show", "--json"),
        ("config", "check", "--connect", "-vv"),
        ("doctor", "-vv", "--json"),
        ("init", "-vv"),
    )

    told = [project(*words, environ=environ) for words in commands]

    assert "h1dden" not in "".join(answer.out + answer.err for answer in told)
    files = (path for path in project.directory.parent.rglob("*") if path.is_file())
    assert not [path for path in files if b"h1dden" in path.read_bytes()]


def test_state_is_private_under_any_umask(project: Program) -> None:
    state = Path(project.environ["HOME"]) / ".local/state/opsctl/project"

    modes = {path.name: path.stat().st_mode & 0o777 for path in state.iterdir()}

    assert state.stat().st_mode & 0o777 == 0o700
    assert modes
    assert set(modes.values()) == {0o600}


def test_the_editors_schema_is_beside_the_settings(project: Program) -> None:
    first = (project.directory / BASE).read_text().splitlines()[0]

    named = first.partition("$schema=")[2]
    assert json.loads((project.directory / "configs" / named).read_text())["title"]
