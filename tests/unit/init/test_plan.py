from pathlib import PurePosixPath

import pytest

from opsctl.errors import RefusedError
from opsctl.init.model import InitAction, PathState, ProjectFile
from opsctl.init.plan import plan_init
from opsctl.init.project_files import list_project_files, project_name

DRAFT = ProjectFile(PurePosixPath("a/b"), "text")


@pytest.mark.parametrize(
    ("found", "action"), [(PathState.NOTHING, InitAction.CREATE), (PathState.FILE, InitAction.KEEP)]
)
def test_what_is_missing_is_made_and_what_is_there_is_kept(
    found: PathState, action: InitAction
) -> None:
    (step,) = plan_init([DRAFT], {"a/b": found}).steps

    assert step.action is action


@pytest.mark.parametrize("found", [PathState.DIRECTORY, PathState.OUTSIDE, PathState.OTHER])
def test_a_path_that_cannot_be_a_file_refuses_all(found: PathState) -> None:
    with pytest.raises(RefusedError) as caught:
        plan_init([DRAFT], {"a/b": found})

    assert "nothing was changed" in caught.value.hint


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        ("ticks", "ticks"),
        ("My Project", "my-project"),
        ("주식", "stack"),
        ("-_x", "x"),
        ("", "stack"),
        ("a" * 60, "a" * 40),
    ],
)
def test_a_folder_gives_a_name_fit_for_containers(folder: str, name: str) -> None:
    assert project_name(folder) == name


def test_no_file_leaves_the_project() -> None:
    for draft in list_project_files("ticks"):
        assert not draft.path.is_absolute()
        assert ".." not in draft.path.parts
