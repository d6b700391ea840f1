from pathlib import Path

import pytest

from opsctl.errors import OpsctlError, UnrestoredError
from opsctl.init.observe_paths import observe_paths
from opsctl.init.plan import plan_init
from opsctl.init.project_files import list_project_files
from opsctl.init.write import write_files
from opsctl.progress import NoProgress
from opsctl.systems.files.local import LocalFiles

WANTED = list_project_files("ticks")


class Flaky(LocalFiles):
    """A disk that fails at the n-th file, and may refuse to remove."""

    def __init__(self, fail_at: int, error: BaseException, *, stuck: bool = False) -> None:
        self._left = fail_at
        self._error = error
        self._stuck = stuck

    def create_text(self, path: Path, text: str, *, mode: int = 0o600) -> None:
        self._left -= 1
        if self._left < 0:
            raise self._error
        super().create_text(path, text, mode=mode)

    def remove(self, path: Path) -> None:
        if self._stuck:
            raise OpsctlError(f"Cannot remove {path}")
        super().remove(path)


def run(root: Path, files: LocalFiles) -> None:
    steps = plan_init(WANTED, observe_paths(root, WANTED, files))
    write_files(root, steps, WANTED, files=files, progress=NoProgress())


def everything(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*"))


@pytest.mark.parametrize("fail_at", range(len(WANTED)))
@pytest.mark.parametrize("error", [OpsctlError("full", why="no space"), KeyboardInterrupt()])
def test_what_fails_half_way_is_removed_again(
    tmp_path: Path, fail_at: int, error: BaseException
) -> None:
    (tmp_path / "mine").write_text("kept")

    with pytest.raises(type(error)):
        run(tmp_path, Flaky(fail_at, error))

    assert everything(tmp_path) == ["mine"]


def test_what_cannot_be_removed_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnrestoredError) as caught:
        run(tmp_path, Flaky(1, OpsctlError("full"), stuck=True))

    assert caught.value.exit_code == 8
    assert str(tmp_path / "configs/opsctl.yaml") in caught.value.what


def test_a_second_run_changes_nothing_and_keeps_what_a_person_wrote(tmp_path: Path) -> None:
    run(tmp_path, LocalFiles())
    (tmp_path / "configs/dev.yaml").write_text("mine\n")

    run(tmp_path, LocalFiles())

    assert (tmp_path / "configs/dev.yaml").read_text() == "mine\n"


def test_a_link_that_leads_out_of_the_project_is_not_followed(tmp_path: Path) -> None:
    inside, outside = tmp_path / "in", tmp_path / "out"
    inside.mkdir()
    outside.mkdir()
    (inside / "configs").symlink_to(outside)

    with pytest.raises(OpsctlError, match="cannot create"):
        run(inside, LocalFiles())

    assert everything(outside) == []
