from pathlib import Path

import pytest

from opsctl.deploy.mounted.labels import choose_label, find_changed_files, make_label
from opsctl.deploy.mounted.model import FileRecord, MountedFiles

PROJECT = Path("/srv/shop")
KEY = b"k"


def _file(name: str, digest: str, *, is_private: bool = False) -> FileRecord:
    return FileRecord(f"/srv/shop/{name}", digest, is_private=is_private)


def _label(*records: FileRecord, key: bytes = KEY, project: Path = PROJECT) -> str:
    return make_label({"source": records}, project=project, key=key)


def test_a_label_follows_the_content_of_the_files() -> None:
    first, second = _label(_file("a", "1")), _label(_file("a", "2"))

    assert first != second
    assert first == _label(_file("a", "1"))


def test_another_checkout_of_the_project_has_the_same_label() -> None:
    there = FileRecord("/home/ci/shop/a", "1")

    assert _label(there, project=Path("/home/ci/shop")) == _label(_file("a", "1"))


@pytest.mark.parametrize(
    ("container", "recorded", "chosen"),
    [
        (None, "", "new"),
        ("old", "old", "new"),
        ("new", "new", "new"),
        # An older opsctl started the container: only a change that is known recreates it.
        ("", "", ""),
        ("", "new", ""),
        ("", "old", "new"),
    ],
)
def test_only_a_change_of_the_files_changes_the_label_of_a_container(
    container: str | None, recorded: str, chosen: str
) -> None:
    assert choose_label("new", container=container, recorded=recorded) == chosen


def test_the_key_of_another_state_directory_recreates_nothing() -> None:
    secret = _file("password", "1", is_private=True)
    ours, theirs = _label(secret), _label(secret, key=b"other")

    assert ours != theirs
    assert choose_label(ours, container=theirs, recorded="") == theirs


def test_with_one_key_a_changed_secret_is_a_change() -> None:
    before = _label(_file("password", "1", is_private=True))
    after = _label(_file("password", "2", is_private=True))

    assert choose_label(after, container=before, recorded=before) == after


def test_the_changed_files_of_each_service_are_named() -> None:
    old: MountedFiles = {
        "web": {"s": (_file("a", "1"), _file("b", "1"))},
        "db": {"s": (_file("c", "1"),)},
    }
    new: MountedFiles = {
        "web": {"s": (_file("a", "2"), _file("b", "1"))},
        "db": {"s": (_file("c", "1"),)},
    }

    assert find_changed_files(new, old, project=PROJECT) == {"web": ("a",)}
    assert find_changed_files(new, {}, project=PROJECT) == {}
