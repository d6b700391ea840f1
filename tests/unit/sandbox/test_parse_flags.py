"""Mounts and variables as they are typed."""

import socket
from pathlib import Path

import pytest

from opsctl.errors import RefusedError, UsageError
from opsctl.sandbox.model import BindMount
from opsctl.sandbox.parse_flags import parse_mount, parse_variables
from opsctl.systems.files.local import LocalFiles


@pytest.mark.parametrize(
    ("text", "writable"), [(".:/work", False), (".:/work:ro", False), (".:/work:rw", True)]
)
def test_a_mount_is_read_only_unless_asked(tmp_path: Path, text: str, *, writable: bool) -> None:
    assert parse_mount(text, tmp_path, LocalFiles()) == BindMount(tmp_path, "/work", writable)


@pytest.mark.parametrize("text", ["", ".", ":/work", ".:", ".:/work:rx", ".:/work:rw:z"])
def test_what_is_no_mount_is_reported(tmp_path: Path, text: str) -> None:
    with pytest.raises(UsageError, match="is not a mount"):
        parse_mount(text, tmp_path, LocalFiles())


def test_what_is_not_there_is_not_mounted(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot mount"):
        parse_mount("nowhere:/work", tmp_path, LocalFiles())


def test_a_link_is_followed_before_it_is_judged(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")

    assert parse_mount("link:/x", tmp_path, LocalFiles()).source == tmp_path / "real"


@pytest.mark.parametrize("source", [".", "docker.sock", "link"])
def test_a_folder_with_an_engines_socket_is_refused(tmp_path: Path, source: str) -> None:
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(str(tmp_path / "docker.sock"))
    (tmp_path / "link").symlink_to("docker.sock")

    with pytest.raises(RefusedError):
        parse_mount(f"{source}:/x", tmp_path, LocalFiles())


def test_variables_are_given_or_handed_on() -> None:
    found = parse_variables(("A=1", "B=x=y", "TOKEN", "E="), {"TOKEN": "t", "OTHER": "o"})

    assert found == {"A": "1", "B": "x=y", "TOKEN": "t", "E": ""}


@pytest.mark.parametrize("text", ["=1", "a-b=1", "", "MISSING"])
def test_a_variable_that_is_none_is_told_without_its_value(text: str) -> None:
    with pytest.raises(UsageError):
        parse_variables((text,), {})
