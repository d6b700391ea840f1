"""The commit as the files of a repository say it, beside what git itself says."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from opsctl.systems.git.head import read_head

WHO = ("-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")


def git(at: Path, *words: str) -> str:
    done = subprocess.run(["git", *WHO, *words], cwd=at, check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    path = tmp_path / "shop"
    path.mkdir()
    git(path, "init", "-q", "-b", "main")
    return path


def committed(path: Path) -> Path:
    git(path, "commit", "-q", "--allow-empty", "-m", "Start")
    return path


def packed(path: Path) -> Path:
    git(committed(path), "pack-refs", "--all")
    return path


def packed_and_gone_on(path: Path) -> Path:
    return committed(packed(path))


def detached(path: Path) -> Path:
    git(committed(path), "checkout", "-q", "--detach")
    return path


def on_a_branch_with_a_slash(path: Path) -> Path:
    git(path, "checkout", "-q", "-b", "exp/x")
    return committed(path)


def in_a_worktree(path: Path) -> Path:
    git(packed(path), "worktree", "add", "-q", "-b", "other", str(path.parent / "other"))
    return committed(path.parent / "other")


def below_the_top(path: Path) -> Path:
    (committed(path) / "a" / "b").mkdir(parents=True)
    return path / "a" / "b"


@pytest.mark.parametrize(
    "shape",
    [
        committed,
        packed,
        packed_and_gone_on,
        detached,
        on_a_branch_with_a_slash,
        in_a_worktree,
        below_the_top,
    ],
)
def test_the_files_say_what_git_says(repository: Path, shape: Callable[[Path], Path]) -> None:
    place = shape(repository)

    assert read_head(place, {}) == git(place, "rev-parse", "HEAD")


def test_what_only_git_can_know_is_left_to_it(repository: Path, tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "--bare", "bare")

    assert read_head(repository, {}) is None
    assert read_head(tmp_path / "bare" / "hooks", {}) is None
    assert read_head(committed(repository), {"GIT_DIR": str(tmp_path)}) is None


def test_outside_of_a_repository_there_is_nothing_to_ask(tmp_path: Path) -> None:
    assert read_head(tmp_path, {}) == ""


@pytest.mark.parametrize("head", ["", "ref: ", "ref: refs/heads/.invalid", "zzzz", "\xff"])
def test_a_repository_in_another_format_is_left_to_git(repository: Path, head: str) -> None:
    (repository / ".git" / "HEAD").write_text(head, "latin1")

    assert read_head(repository, {}) is None
