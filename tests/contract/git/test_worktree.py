"""A second checkout of a commit, with its submodules."""

import subprocess
from pathlib import Path

import pytest

from opsctl.errors import OpsctlError
from opsctl.systems.clock import SystemClock
from opsctl.systems.git.worktree import GitSources
from opsctl.systems.process.run import LocalProcesses

_GIT = ("git", "-c", "user.name=T", "-c", "user.email=t@localhost", "-c", "gc.auto=0")
_LOCAL = ("-c", "protocol.file.allow=always")


def _git(path: Path, *words: str) -> str:
    done = subprocess.run(
        [*_GIT, *_LOCAL, *words], cwd=path, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def _make(path: Path, text: str) -> Path:
    path.mkdir()
    _git(path, "init", "--quiet", "--initial-branch", "main")
    return _commit(path, text)


def _commit(path: Path, text: str) -> Path:
    (path / "file").write_text(text)
    _git(path, "add", "--all")
    _git(path, "commit", "--quiet", "--message", text)
    return path


@pytest.fixture
def sources() -> GitSources:
    return GitSources(LocalProcesses(SystemClock()))


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project whose submodule has a submodule."""
    inner, outer = _make(tmp_path / "inner", "inner 1"), _make(tmp_path / "outer", "outer 1")
    _git(outer, "submodule", "--quiet", "add", str(inner), "inner")
    _commit(outer, "outer 2")
    top = _make(tmp_path / "top", "top 1")
    _git(top, "submodule", "--quiet", "add", str(outer), "outer")
    _git(top, "submodule", "--quiet", "update", "--init", "--recursive")
    return _commit(top, "top 2")


def test_submodules_are_checked_out_as_the_commit_has_them(
    sources: GitSources, project: Path
) -> None:
    commit = _git(project, "rev-parse", "HEAD")
    _commit(project / "outer", "outer 3")
    _commit(project, "top 3")

    with sources.at(project, commit) as checkout:
        names = ("file", "outer/file", "outer/inner/file")
        texts = [(checkout / name).read_text() for name in names]

    assert texts == ["top 2", "outer 2", "inner 1"]
    for repository in (project, project / "outer", project / "outer/inner"):
        assert len(_git(repository, "worktree", "list").splitlines()) == 1


def test_a_submodule_that_is_not_here_is_named(sources: GitSources, project: Path) -> None:
    commit = _git(project, "rev-parse", "HEAD")
    _git(project, "submodule", "--quiet", "deinit", "--force", "outer")

    with pytest.raises(OpsctlError) as caught:
        sources.check(project, commit)

    assert "submodule outer is not here" in caught.value.why


def test_what_a_killed_process_left_is_removed(
    sources: GitSources, project: Path, tmp_path: Path
) -> None:
    commit = _git(project, "rev-parse", "HEAD")
    left = tmp_path / "opsctl-sources-999999999-x" / "checkout"
    left.parent.mkdir()
    _git(project, "worktree", "add", "--quiet", "--detach", str(left), commit)

    with sources.at(project, commit):
        pass

    assert not left.parent.exists()
    assert len(_git(project, "worktree", "list").splitlines()) == 1
