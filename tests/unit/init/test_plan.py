from pathlib import PurePosixPath

import pytest

from opsctl.errors import RefusedError
from opsctl.init.project_files import drafts, project_name
from opsctl.init.model import Deed, Draft, Found
from opsctl.init.plan import plan

DRAFT = Draft(PurePosixPath("a/b"), "text")


@pytest.mark.parametrize(("found", "deed"), [(Found.NOTHING, Deed.CREATE), (Found.FILE, Deed.KEEP)])
def test_what_is_missing_is_made_and_what_is_there_is_kept(found: Found, deed: Deed) -> None:
    (step,) = plan([DRAFT], {"a/b": found}).steps

    assert step.deed is deed


@pytest.mark.parametrize("found", [Found.DIRECTORY, Found.OUTSIDE, Found.OTHER])
def test_a_place_that_cannot_be_a_file_refuses_all(found: Found) -> None:
    with pytest.raises(RefusedError) as caught:
        plan([DRAFT], {"a/b": found})

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


def test_no_draft_leaves_the_project() -> None:
    for draft in drafts("ticks"):
        assert not draft.path.is_absolute()
        assert ".." not in draft.path.parts
