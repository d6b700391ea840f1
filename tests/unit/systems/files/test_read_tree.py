import os
from pathlib import Path

from opsctl.systems.files.read_tree import LocalTree, Read

TREE = LocalTree()


def test_files_are_listed_as_seen_from_the_folder(tmp_path: Path) -> None:
    for name in ("a.txt", "b/c.txt", "skipped/d.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()

    assert list(TREE.walk(tmp_path, skips=lambda name: name == "skipped")) == ["a.txt", "b/c.txt"]


def test_a_folder_that_is_not_there_has_no_files(tmp_path: Path) -> None:
    assert list(TREE.walk(tmp_path / "nowhere", skips=lambda _: False)) == []


def test_only_plain_files_are_read(tmp_path: Path) -> None:
    (tmp_path / "plain").write_bytes(b"x")
    (tmp_path / "link").symlink_to("plain")
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    names = ["plain", "link", "folder", "pipe", "missing", "nul\0"]

    assert list(TREE.read(tmp_path, names, limit_bytes=9)) == [Read("plain", b"x")]


def test_a_file_that_is_too_large_is_reported_and_not_read(tmp_path: Path) -> None:
    (tmp_path / "big").write_bytes(b"x" * 10)

    (found,) = TREE.read(tmp_path, ["big"], limit_bytes=9)

    assert found == Read("big", None, "it is larger than 9 bytes")
