import os
from pathlib import Path

import pytest

from opsctl.systems.text_cache import MOST_TEXTS, FileTextCache, code_generation


@pytest.fixture
def memory(tmp_path: Path) -> FileTextCache:
    return FileTextCache(tmp_path / "cache/opsctl", generation="1")


def test_what_is_kept_is_recalled_and_private(memory: FileTextCache, tmp_path: Path) -> None:
    memory.keep("a.json", "text")

    found = tmp_path / "cache/opsctl/a.json"
    assert memory.recall("a.json") == "text"
    assert (found.stat().st_mode & 0o777, found.parent.stat().st_mode & 0o777) == (0o600, 0o700)


def test_what_was_never_kept_is_none(memory: FileTextCache) -> None:
    assert memory.recall("a.json") is None


def test_what_others_may_read_or_write_is_not_believed(
    memory: FileTextCache, tmp_path: Path
) -> None:
    memory.keep("a.json", "text")
    (tmp_path / "cache/opsctl/a.json").chmod(0o620)

    assert memory.recall("a.json") is None


@pytest.mark.skipif(os.geteuid() != 0, reason="root alone can give a file away")
def test_what_another_user_owns_is_not_believed(memory: FileTextCache, tmp_path: Path) -> None:
    memory.keep("a.json", "text")
    os.chown(tmp_path / "cache/opsctl/a.json", 65534, -1)

    assert memory.recall("a.json") is None


def test_a_link_is_not_followed_and_a_pipe_does_not_hold_up(
    memory: FileTextCache, tmp_path: Path
) -> None:
    memory.keep("a.json", "text")
    place = tmp_path / "cache/opsctl"
    (place / "link.json").symlink_to(place / "a.json")
    os.mkfifo(place / "pipe.json", 0o600)

    assert memory.recall("link.json") is None
    assert memory.recall("pipe.json") is None


def test_where_nothing_can_be_kept_nothing_is_said(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("in the way")
    memory = FileTextCache(tmp_path / "cache/opsctl", generation="1")

    memory.keep("a.json", "text")

    assert memory.recall("a.json") is None


def test_only_so_many_are_kept_and_the_oldest_go_first(
    memory: FileTextCache, tmp_path: Path
) -> None:
    for number in range(MOST_TEXTS + 2):
        memory.keep(f"{number}.json", "text")
        os.utime(tmp_path / f"cache/opsctl/{number}.json", (number, number))
    memory.keep("newest.json", "text")

    assert len(list((tmp_path / "cache/opsctl").iterdir())) == MOST_TEXTS
    assert memory.recall("0.json") is None
    assert memory.recall("newest.json") == "text"


def test_code_that_changed_in_place_is_another_generation(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("")
    before = code_generation(tmp_path, "1.0")
    os.utime(tmp_path / "a.py", (1, 1))

    assert code_generation(tmp_path, "1.0") != before != code_generation(tmp_path, "1.1")
