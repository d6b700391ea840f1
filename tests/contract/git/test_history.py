"""What real repositories say of their past; only git itself can tell."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from opsctl.errors import OpsctlError
from opsctl.systems.clock import SystemClock
from opsctl.systems.git.history import GitHistory, Rewrite
from opsctl.systems.process.run import LocalProcesses

WHO = ("-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")
TRUNKS = ("main", "master")


@dataclass(frozen=True, slots=True)
class Repository:
    path: Path

    def git(self, *words: str) -> str:
        argv = ["git", *WHO, *words]
        done = subprocess.run(argv, cwd=self.path, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def commit(self, **files: str | None) -> str:
        for name, text in files.items():
            path = self.path / "m" / f"{name}.sql"
            path.parent.mkdir(exist_ok=True)
            if text is None:
                path.unlink()
            else:
                path.write_text(text)
        self.git("add", "-A")
        self.git("commit", "-qm", "Change")
        return self.git("rev-parse", "HEAD")


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    made = Repository(tmp_path)
    made.git("init", "-q", "-b", "main")
    made.commit(a="one\n" * 9, b="two\n" * 9)
    return made


@pytest.fixture
def history() -> GitHistory:
    return GitHistory(LocalProcesses(SystemClock()))


def test_on_the_trunk_nothing_was_rewritten(repository: Repository, history: GitHistory) -> None:
    assert history.rewrites(repository.path, "m", TRUNKS) == ()


def test_an_edit_here_is_a_rewrite_committed_or_not(
    repository: Repository, history: GitHistory
) -> None:
    (repository.path / "m/a.sql").write_text("changed\n")

    uncommitted = history.rewrites(repository.path, "m", TRUNKS)
    repository.git("switch", "-qc", "feature")
    repository.git("commit", "-qam", "Change")

    assert uncommitted == (Rewrite("m/a.sql", "was edited"),)
    assert history.rewrites(repository.path, "m", TRUNKS) == uncommitted


def test_an_edit_on_the_trunk_names_its_commit(repository: Repository, history: GitHistory) -> None:
    commit = repository.commit(a="changed\n")

    assert history.rewrites(repository.path, "m", TRUNKS) == (
        Rewrite("m/a.sql", "was edited", commit[:12]),
    )


def test_an_edit_that_came_by_a_merge_is_found(repository: Repository, history: GitHistory) -> None:
    repository.git("switch", "-qc", "feature")
    repository.commit(a="changed\n")
    repository.git("switch", "-q", "main")
    repository.git("merge", "-q", "--no-ff", "-m", "Merge", "feature")

    (rewrite,) = history.rewrites(repository.path, "m", TRUNKS) or ()

    assert (rewrite.path, rewrite.change) == ("m/a.sql", "was edited")


def test_edits_before_the_merge_are_no_rewrites(
    repository: Repository, history: GitHistory
) -> None:
    repository.git("switch", "-qc", "feature")
    repository.commit(c="one\n")
    repository.commit(c="two\n")
    repository.git("switch", "-q", "main")
    repository.git("merge", "-q", "--no-ff", "-m", "Merge", "feature")

    assert history.rewrites(repository.path, "m", TRUNKS) == ()


def test_renaming_and_removing_are_rewrites(repository: Repository, history: GitHistory) -> None:
    repository.git("mv", "m/a.sql", "m/c.sql")
    repository.git("rm", "-q", "m/b.sql")

    assert set(history.rewrites(repository.path, "m", TRUNKS) or ()) == {
        Rewrite("m/a.sql", "was renamed to m/c.sql"),
        Rewrite("m/b.sql", "was removed"),
    }


def test_without_a_trunk_nothing_can_be_said(repository: Repository, history: GitHistory) -> None:
    repository.git("branch", "-qm", "main", "work")

    assert history.rewrites(repository.path, "m", TRUNKS) is None
    assert history.changed(repository.path, TRUNKS) is None


def test_a_remote_trunk_counts_before_a_local_one(
    repository: Repository, history: GitHistory, tmp_path: Path
) -> None:
    clone = tmp_path / "clone"
    repository.git("clone", "-q", str(repository.path), str(clone))
    there = Repository(clone)
    there.commit(a="changed\n")

    assert history.changed(clone, TRUNKS) == ("m/a.sql",)


def test_what_changed_includes_what_is_new(repository: Repository, history: GitHistory) -> None:
    repository.git("switch", "-qc", "exp/a")
    repository.commit(a="changed\n")
    (repository.path / "new file").write_text("x")

    assert history.changed(repository.path, TRUNKS) == ("m/a.sql", "new file")


def test_untracked_leaves_out_what_is_ignored(repository: Repository, history: GitHistory) -> None:
    (repository.path / ".gitignore").write_text("*.log\n")
    (repository.path / "a.log").write_text("x")
    (repository.path / "b c\n.txt").write_text("x")

    assert set(history.untracked(repository.path)) == {".gitignore", "b c\n.txt"}


def test_no_repository_is_an_error(history: GitHistory, tmp_path: Path) -> None:
    with pytest.raises(OpsctlError):
        history.untracked(tmp_path / "nowhere")
