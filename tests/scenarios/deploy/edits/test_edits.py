"""What is planned, what happens, and what plain compose does, for many edits of a compose file.

A fourth of them by default; all of them with OPSCTL_TEST_ALL_EDITS=1.
"""

import os

import pytest

from tests.engines.docker import BUSYBOX
from tests.scenarios.deploy.deployed_project import DeployedProject
from tests.scenarios.deploy.edits.edit_table import EDITS, Edit
from tests.scenarios.deploy.edits.edited_project import (
    compare,
    look,
    prepare_images,
    read_planned,
    run_compose,
    write_project,
)

PARTS = 8
CHOSEN = range(PARTS) if os.environ.get("OPSCTL_TEST_ALL_EDITS") else (0, 4)
# Dozens of containers, on a machine where other tests run.
UP_S = 240


@pytest.mark.parametrize("part", CHOSEN)
def test_plan_run_and_plain_compose_agree(project: DeployedProject, part: int) -> None:
    edits = EDITS[part::PARTS]
    plain = f"plain-{project.name}"
    prepare_images(project, BUSYBOX)
    project.write_compose_file(**write_project(edits, project.compose_project, after=False))
    _deploy(project)
    run_compose(project, plain, write_project(edits, plain, after=False))
    _do_by_hand(project, edits, plain)
    project.write_compose_file(**write_project(edits, project.compose_project, after=True))

    shown = project.opsctl("up", "-n", "--json").json
    planned = read_planned(project, shown)
    before, plain_before = look(project, project.compose_project), look(project, plain)
    _deploy(project)
    run_compose(project, plain, write_project(edits, plain, after=True))

    happened = compare(before, look(project, project.compose_project))
    by_compose = compare(plain_before, look(project, plain))
    assert planned == happened
    assert _without_differences(happened, edits) == _without_differences(by_compose, edits)
    for edit in edits:
        own = {service["service"]: service["change"] for service in shown["services"]}
        for key in edit.after:
            is_kept = own.get(f"{edit.name}-{key}", "keep") == "keep"
            touched = [name for name in happened if name.startswith(f"{edit.name}-{key}-")]
            assert is_kept != bool(touched), (edit.name, key)


def test_there_are_sixty_edits_and_one_differs_from_compose_for_a_reason() -> None:
    assert len(EDITS) >= 60
    assert len({edit.name for edit in EDITS}) == len(EDITS)
    assert [edit.name for edit in EDITS if edit.differs] == ["profileoff"]


def _deploy(project: DeployedProject) -> None:
    done = project.opsctl("up", timeout_s=UP_S)
    assert done.exit_code == 0, done.err


def _without_differences(happened: dict[str, str], edits: tuple[Edit, ...]) -> dict[str, str]:
    differing = tuple(f"{edit.name}-" for edit in edits if edit.differs)
    return {name: action for name, action in happened.items() if not name.startswith(differing)}


def _do_by_hand(project: DeployedProject, edits: tuple[Edit, ...], plain: str) -> None:
    for edit in edits:
        for command in edit.by_hand:
            for name in (project.compose_project, plain):
                project.engine.run(*command.replace("@", f"{name}-{edit.name}").split())
