"""One suite over the fake and the real thing, then what only real repositories can show."""

import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from opsctl.errors import OpsctlError
from opsctl.systems.clock import SystemClock
from opsctl.systems.git.repository import Git, GitCommand, GitFacts, Ref, RefKind
from opsctl.systems.process.run import LocalProcesses
from tests.fakes.git import ToldGit

WHO = ("-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")
MAIN = Ref(RefKind.BRANCH, "main")
EXPERIMENT = Ref(RefKind.BRANCH, "exp/x")


@dataclass(frozen=True, slots=True)
class Repository:
    path: Path

    def git(self, *words: str) -> str:
        argv = ["git", *WHO, *words]
        done = subprocess.run(argv, cwd=self.path, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def commit(self, name: str, text: str = "one\n") -> str:
        (self.path / name).write_text(text)
        self.git("add", "--", name)
        self.git("commit", "-qm", f"Write {name}")
        return self.git("rev-parse", "HEAD")


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    (tmp_path / "shop").mkdir()
    made = Repository(tmp_path / "shop")
    made.git("init", "-q", "-b", "main")
    return made


@pytest.fixture
def git() -> Git:
    return GitCommand(LocalProcesses(SystemClock()))


def facts_of(git: Git, repository: Repository) -> GitFacts:
    facts = git.facts(repository.path, trunks=("main",))
    assert facts is not None
    return facts


@pytest.fixture(params=["real", "told"])
def asked(request: pytest.FixtureRequest, repository: Repository, git: Git) -> Git:
    """One commit on main, with a tag, and a changed and a new file."""
    head = repository.commit("a.txt")
    repository.git("tag", "v1")
    (repository.path / "a.txt").write_text("changed\n")
    (repository.path / "new.txt").touch()
    if request.param == "real":
        return git
    names = (MAIN, Ref(RefKind.TAG, "v1"))
    told = GitFacts(
        repository.path,
        head,
        subject="Write a.txt",
        branch="main",
        containing=names,
        pointing=names,
        dirty=("a.txt",),
        untracked=("new.txt",),
    )
    return ToldGit(told, {head: {"a.txt": b"one\n"}})


def test_a_checkout_is_described(asked: Git, repository: Repository) -> None:
    facts = facts_of(asked, repository)

    assert facts.top_level == repository.path
    assert facts.head == repository.git("rev-parse", "HEAD")
    assert (facts.branch, facts.subject) == ("main", "Write a.txt")
    assert facts.containing == facts.pointing == (MAIN, Ref(RefKind.TAG, "v1"))
    assert (facts.dirty, facts.untracked) == (("a.txt",), ("new.txt",))
    assert not facts.is_published


def test_no_repository_is_a_value(asked: Git, tmp_path: Path) -> None:
    assert asked.facts(tmp_path) is None


def test_a_file_is_read_as_it_was(asked: Git, repository: Repository) -> None:
    head = repository.git("rev-parse", "HEAD")

    assert asked.show(repository.path, "a.txt") == b"one\n"
    assert asked.show(repository.path, "a.txt", commit=head) == b"one\n"


def test_a_file_or_commit_that_is_not_there_is_none(asked: Git, repository: Repository) -> None:
    assert asked.show(repository.path, "b.txt") is None
    assert asked.show(repository.path, "a.txt", commit="--help") is None


def test_tracked_files_are_listed(asked: Git, repository: Repository) -> None:
    assert asked.tracked(repository.path) == (Path("a.txt"),)


def test_asking_for_files_outside_a_repository_is_an_error(asked: Git, tmp_path: Path) -> None:
    with pytest.raises(OpsctlError, match="cannot ask git about"):
        asked.tracked(tmp_path)


def test_the_version_is_a_number(asked: Git) -> None:
    assert asked.version()[0].isdigit()


def on_a_branch(repository: Repository) -> None:
    repository.git("checkout", "-qb", "exp/x")
    repository.commit("b.txt")


def detached(repository: Repository) -> None:
    on_a_branch(repository)
    repository.git("checkout", "-q", "--detach")


def under_a_new_branch(repository: Repository) -> None:
    on_a_branch(repository)
    repository.git("checkout", "-qb", "harmless")


@pytest.mark.parametrize("stage", [on_a_branch, detached, under_a_new_branch])
def test_an_experiment_is_seen_by_its_commit(
    git: Git, repository: Repository, stage: Callable[[Repository], None]
) -> None:
    repository.commit("a.txt")

    stage(repository)

    facts = facts_of(git, repository)
    assert EXPERIMENT in facts.containing
    assert EXPERIMENT in facts.pointing
    assert MAIN not in facts.containing
    assert facts.checkout.made_on == ("exp/x",)


@pytest.mark.parametrize("elsewhere", [False, True])
def test_a_renamed_branch_keeps_its_past(
    git: Git, repository: Repository, *, elsewhere: bool
) -> None:
    repository.commit("a.txt")
    on_a_branch(repository)
    if elsewhere:
        repository.git("checkout", "-q", "main")
    repository.git("branch", "-m", "exp/x", "harmless")
    repository.git("checkout", "-q", "harmless")

    facts = facts_of(git, repository)

    assert facts.branch == "harmless"
    assert facts.renamed_from == ("exp/x",)


def test_a_deleted_branch_is_remembered(git: Git, repository: Repository) -> None:
    repository.commit("a.txt")
    under_a_new_branch(repository)
    repository.git("branch", "-qD", "exp/x")

    facts = facts_of(git, repository)

    assert facts.containing == (Ref(RefKind.BRANCH, "harmless"),)
    assert facts.made_on == ("exp/x",)


def test_what_is_on_a_trunk_was_made_nowhere_else(git: Git, repository: Repository) -> None:
    repository.commit("a.txt")
    on_a_branch(repository)
    repository.git("checkout", "-q", "main")
    repository.git("merge", "-q", "exp/x")

    assert facts_of(git, repository).made_on == ()


def test_a_tag_of_a_later_commit_contains_but_does_not_point(
    git: Git, repository: Repository
) -> None:
    first = repository.commit("a.txt")
    repository.commit("b.txt")
    repository.git("tag", "-a", "-m", "later", "v2")
    repository.git("checkout", "-q", first)

    facts = facts_of(git, repository)

    assert Ref(RefKind.TAG, "v2") in facts.containing
    assert facts.pointing == ()
    assert facts.branch is None


@pytest.mark.parametrize("remote", ["origin", "team/fork"])
def test_a_remote_branch_is_named_without_its_remote(
    git: Git, repository: Repository, tmp_path: Path, remote: str
) -> None:
    repository.commit("a.txt")
    on_a_branch(repository)
    subprocess.run(["git", "init", "-q", "--bare", tmp_path / "far"], check=True)
    repository.git("remote", "add", remote, str(tmp_path / "far"))
    repository.git("push", "-q", remote, "exp/x")

    facts = facts_of(git, repository)

    assert facts.is_published
    assert Ref(RefKind.REMOTE, "exp/x", remote) in facts.containing
    assert facts.checkout.remotes_containing == ("exp/x",)


def test_before_the_first_commit_there_is_a_branch_and_no_head(
    git: Git, repository: Repository
) -> None:
    facts = facts_of(git, repository)

    assert (facts.head, facts.branch) == (None, "main")


@pytest.mark.parametrize("name", ["--upload-pack=touch-f", "$(touch${IFS}f)", "`touch`", "(x)"])
def test_a_hostile_branch_name_is_only_a_name(git: Git, repository: Repository, name: str) -> None:
    repository.git("update-ref", f"refs/heads/{name}", repository.commit("a.txt"))
    repository.git("symbolic-ref", "HEAD", f"refs/heads/{name}")

    facts = facts_of(git, repository)

    assert facts.branch == name
    assert {path.name for path in repository.path.iterdir()} == {".git", "a.txt"}


def test_every_kind_of_change_is_dirty(git: Git, repository: Repository) -> None:
    for name in ("moved", "deleted", "has space\nand break"):
        repository.commit(name, text=f"{name}\n" * 9)
    repository.git("mv", "moved", "to here")
    (repository.path / "deleted").unlink()
    (repository.path / "has space\nand break").write_text("changed")

    facts = facts_of(git, repository)

    assert set(facts.dirty) == {"to here", "deleted", "has space\nand break"}
    assert facts.untracked == ()


def test_a_conflict_is_dirty(git: Git, repository: Repository) -> None:
    repository.commit("a.txt")
    repository.git("checkout", "-qb", "other")
    repository.commit("a.txt", text="two\n")
    repository.git("checkout", "-q", "main")
    repository.commit("a.txt", text="three\n")
    with pytest.raises(subprocess.CalledProcessError):
        repository.git("merge", "-q", "other")

    assert facts_of(git, repository).dirty == ("a.txt",)


def test_variables_of_git_do_not_mislead(repository: Repository, tmp_path: Path) -> None:
    head = repository.commit("a.txt")
    misled = {"PATH": os.environ["PATH"], "GIT_DIR": str(tmp_path), "GIT_WORK_TREE": "/"}

    facts = facts_of(GitCommand(LocalProcesses(SystemClock(), misled)), repository)

    assert facts.head == head


def test_settings_of_the_repository_run_nothing(git: Git, repository: Repository) -> None:
    repository.commit("a.txt")
    repository.git("config", "core.fsmonitor", f"touch {repository.path}/ran; false")
    repository.git("config", "log.showSignature", "true")

    facts = facts_of(git, repository)

    assert facts.untracked == ()
    assert not (repository.path / "ran").exists()


def test_a_subfolder_sees_the_whole_checkout(git: Git, repository: Repository) -> None:
    (repository.path / "sub").mkdir()
    repository.commit("sub/b.txt")
    repository.commit("a.txt")

    facts = git.facts(repository.path / "sub")

    assert facts is not None
    assert facts.top_level == repository.path
    assert git.tracked(repository.path / "sub") == (Path("a.txt"), Path("sub/b.txt"))


def test_a_cut_history_says_so(git: Git, repository: Repository, tmp_path: Path) -> None:
    repository.commit("a.txt")
    repository.commit("b.txt")
    repository.git("clone", "-q", "--depth=1", f"file://{repository.path}", str(tmp_path / "cut"))

    facts = facts_of(git, Repository(tmp_path / "cut"))

    assert facts.is_shallow
    assert facts.is_published


def test_a_tag_of_a_file_is_no_problem(git: Git, repository: Repository) -> None:
    repository.commit("a.txt")
    repository.git("tag", "file", "HEAD:a.txt")

    assert facts_of(git, repository).containing == (MAIN,)


@pytest.mark.usefixtures("root_machine")
def test_a_repository_of_another_user_is_reported(repository: Repository) -> None:
    repository.commit("a.txt")
    os.chown(repository.path, 12345, 12345)
    os.chown(repository.path / ".git", 12345, 12345)
    git = GitCommand(LocalProcesses(SystemClock(), {"PATH": os.environ["PATH"]}))

    with pytest.raises(OpsctlError) as caught:
        git.facts(repository.path)

    assert caught.value.why == "the repository belongs to another user"
    assert f"safe.directory {repository.path}" in caught.value.hint


def test_a_repository_without_files_is_reported(git: Git, tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", "--bare", tmp_path], check=True)

    with pytest.raises(OpsctlError) as caught:
        git.facts(tmp_path)

    assert caught.value.why == "it has no working tree"


def test_a_broken_repository_is_an_error_with_its_reason(git: Git, repository: Repository) -> None:
    repository.commit("a.txt")
    shutil.rmtree(repository.path / ".git" / "objects")
    (repository.path / ".git" / "objects").mkdir()

    with pytest.raises(OpsctlError) as caught:
        git.facts(repository.path)

    assert "exit" not in caught.value.what
    assert caught.value.why


def test_a_name_with_a_line_break_is_refused(git: Git, repository: Repository) -> None:
    with pytest.raises(OpsctlError, match="cannot read a file of a commit"):
        git.show(repository.path, "a\nb")


def test_a_machine_without_git_says_how_to_get_it(tmp_path: Path) -> None:
    git = GitCommand(LocalProcesses(SystemClock(), {"PATH": str(tmp_path)}))

    with pytest.raises(OpsctlError) as caught:
        git.facts(tmp_path)

    assert caught.value.hint == "Install it: apt-get install git"
