"""After `opsctl up`, plain `docker compose up` with the same file has nothing left to do."""

import os
import random

import pytest

from tests.scenarios.deploy.deployed_project import DeployedProject
from tests.scenarios.deploy.edits.edited_project import UP, compare, look, read_planned
from tests.scenarios.deploy.edits.random_projects import edit_randomly, make_random_project

SEEDS = range(int(os.environ.get("OPSCTL_TEST_SEEDS", "1")))
# A one-shot that has ended is started again by each `up`.
ENDED = "start"


@pytest.mark.parametrize("seed", SEEDS)
def test_a_random_edit_is_deployed_as_planned_and_as_compose_would(
    project: DeployedProject, seed: int
) -> None:
    chance = random.Random(seed)  # noqa: S311 - a test, repeated by its seed
    made = make_random_project(chance)
    project.write_compose_file(**made)
    project.run_up()
    project.write_compose_file(**edit_randomly(chance, made))

    shown = project.opsctl("up", "-n", "--json").json
    planned, before = read_planned(project, shown), look(project, project.compose_project)
    done = project.run_up("--json").json
    after = look(project, project.compose_project)
    _run_compose_on_release(project, done["release"])

    is_idle = done["outcome"] == "unchanged"
    assert compare(before, after) == ({} if is_idle else planned)
    left = compare(after, look(project, project.compose_project))
    assert set(left.values()) <= {ENDED}


def _run_compose_on_release(project: DeployedProject, release: str) -> None:
    """Run compose on the file that opsctl generated for its release."""
    file = project.directory.parent / "state/releases" / f"{release}.json"
    place = ("--project-directory", str(project.directory), "-f", str(file))
    project.engine.run("compose", "-p", project.compose_project, *place, *UP)
