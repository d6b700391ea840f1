"""Files that services mount: read, stored, and mounted again as copies."""

import json
from pathlib import Path
from typing import Any

import pytest

from opsctl.deploy.mounted.find_sources import find_sources
from opsctl.deploy.mounted.model import MountedFiles
from opsctl.deploy.mounted.mount_copies import mount_copies
from opsctl.deploy.mounted.read_files import FOLDER_FILES, STORED_BYTES, ReadScope, read_sources
from opsctl.deploy.mounted.stored_files import FileStore, list_records
from opsctl.systems.files.contents import LocalContents


class Project:
    """A folder with a compose file; the files in `tracked` are those that git knows."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "project"
        self.folder.mkdir()
        self.tracked: set[Path] = set()
        self.store = FileStore(LocalContents(), folder / "state" / "releases")

    def write(self, name: str, text: str, *, is_tracked: bool = True) -> Path:
        path = self.folder / name
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_text(text)
        if is_tracked:
            self.tracked.add(path)
        return path

    def compose(self, *binds: str, read_only: bool = False, **sections: Any) -> str:
        volumes = [
            {"type": "bind", "source": f"{self.folder}/{name}", "read_only": read_only}
            for name in binds
        ]
        service = {"volumes": volumes, **{s: [{"source": "x"}] for s in sections}}
        return json.dumps({"services": {"web": service}, **sections})

    def read(self, text: str) -> MountedFiles:
        scope = ReadScope(self.folder, self.folder, frozenset(self.tracked), b"key")
        return read_sources(LocalContents(), find_sources(text, ("web",)), scope)

    def flags(self, text: str) -> list[tuple[str, bool, bool]]:
        records = list_records(self.read(text))
        return [(Path(r.path).name, r.is_private, r.is_stored) for r in records]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def test_a_file_that_git_tracks_is_stored(project: Project) -> None:
    project.write("app.conf", "1")

    assert project.flags(project.compose("app.conf")) == [("app.conf", False, True)]


def test_a_larger_file_is_compared_and_not_stored(project: Project) -> None:
    project.write("app.conf", "x" * (STORED_BYTES + 1))

    assert project.flags(project.compose("app.conf")) == [("app.conf", False, False)]


def test_an_untracked_file_is_private_and_counts_only_where_no_container_writes_to_it(
    project: Project,
) -> None:
    project.write("local.conf", "1", is_tracked=False)

    assert project.flags(project.compose("local.conf", read_only=True)) == [
        ("local.conf", True, False)
    ]
    assert project.flags(project.compose("local.conf")) == []


def test_a_secret_is_private_even_if_git_tracks_it(project: Project) -> None:
    path = project.write("password", "hunter2")
    text = project.compose(secrets={"x": {"file": str(path)}})

    (record,) = list_records(project.read(text))

    assert (record.is_private, record.is_stored) == (True, False)


def test_a_config_counts(project: Project) -> None:
    path = project.write("app.conf", "1")

    assert project.flags(project.compose(configs={"x": {"file": str(path)}})) == [
        ("app.conf", False, True)
    ]


def test_of_a_small_folder_what_git_tracks_counts(project: Project) -> None:
    project.write("conf.d/a", "1")
    project.write("conf.d/log", "1", is_tracked=False)

    assert project.flags(project.compose("conf.d")) == [("a", False, True)]


def test_large_folders_and_the_project_itself_do_not_count(project: Project) -> None:
    for number in range(FOLDER_FILES + 1):
        project.write(f"src/{number}", "1")

    assert project.flags(project.compose("src")) == []
    assert project.flags(project.compose(".")) == []


def test_a_link_out_of_the_project_is_private(project: Project, tmp_path: Path) -> None:
    (tmp_path / "outside").write_text("1")
    link = project.folder / "link"
    link.symlink_to(tmp_path / "outside")
    project.tracked.add(link)

    assert project.flags(project.compose("link", read_only=True)) == [("link", True, False)]


def _source(text: str) -> str:
    source: str = json.loads(text)["services"]["web"]["volumes"][0]["source"]
    return source


def _restore(project: Project, text: str) -> tuple[str, tuple[str, ...]]:
    then, now = project.store.read("r1"), project.read(text)
    return mount_copies(project.store, text, release="r1", then=then, now=now)


def test_a_changed_file_is_mounted_as_it_was_with_its_mode(project: Project) -> None:
    path = project.write("app.conf", "1")
    path.chmod(0o644)
    text = project.compose("app.conf")
    project.store.save("r1", project.read(text))
    stored = tuple((project.store.folder / "files").iterdir())
    project.write("app.conf", "2")

    restored, missing = _restore(project, text)

    copy = Path(_source(restored))
    assert (copy.read_text(), copy.stat().st_mode & 0o777, missing) == ("1", 0o644, ())
    assert [each.stat().st_mode & 0o777 for each in stored] == [0o600]


def test_a_file_that_did_not_change_is_mounted_from_the_project(project: Project) -> None:
    project.write("app.conf", "1")
    text = project.compose("app.conf")
    project.store.save("r1", project.read(text))

    assert _restore(project, text) == (text, ())


def test_a_changed_folder_is_mounted_as_it_was(project: Project) -> None:
    project.write("conf.d/sub/a", "1")
    text = project.compose("conf.d")
    project.store.save("r1", project.read(text))
    project.write("conf.d/b", "2")

    copy = Path(_source(_restore(project, text)[0]))

    assert (copy / "sub/a").read_text() == "1"
    assert not (copy / "b").exists()


def test_a_folder_with_files_that_were_not_stored_stays_and_is_named(project: Project) -> None:
    project.write("conf.d/a", "1")
    project.write("conf.d/local", "1", is_tracked=False)
    text = project.compose("conf.d")
    project.store.save("r1", project.read(text))
    project.write("conf.d/a", "2")

    assert _restore(project, text) == (text, (f"{project.folder}/conf.d",))


def test_what_only_a_removed_release_needs_is_removed(project: Project) -> None:
    text = project.compose("app.conf", "other.conf")
    project.write("other.conf", "same")
    for release, content in (("r1", "1"), ("r2", "2")):
        project.write("app.conf", content)
        project.store.save(release, project.read(text))

    project.store.remove("r1", kept=["r2"])

    digests = {record.digest for record in list_records(project.read(text))}
    assert {each.name for each in (project.store.folder / "files").iterdir()} == digests
    assert project.store.read("r1") == {}
