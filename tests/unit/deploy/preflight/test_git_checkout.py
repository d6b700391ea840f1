from typing import Any

import pytest

from opsctl.deploy.model import DeployOptions
from opsctl.deploy.preflight.git_checkout import check_experiment, check_git_checkout
from tests.unit.deploy.observations import make_git, make_observation, run_check

SERVICES = {"web": {"image": "web:1"}}


@pytest.mark.parametrize(
    ("env", "experiment", "issues"),
    [
        ("prod", "the branch exp/x is checked out", [("experiment", False)]),
        ("prod", None, []),
        ("dev", "the branch exp/x is checked out", []),
    ],
)
def test_experiments_are_refused_in_production(
    env: str, experiment: str | None, issues: list[Any]
) -> None:
    observation = make_observation(SERVICES, env=env, experiment=experiment)

    assert run_check(check_experiment, observation) == issues


@pytest.mark.parametrize(
    ("git", "options", "issues"),
    [
        (make_git(), DeployOptions(), []),
        (make_git(dirty=("a",)), DeployOptions(), [("uncommitted changes", False)]),
        (make_git(untracked=("a",)), DeployOptions(), [("uncommitted changes", False)]),
        (
            make_git(dirty=("a",)),
            DeployOptions(allow_dirty=True),
            [("uncommitted changes", True)],
        ),
        (make_git(containing=()), DeployOptions(), [("unpublished commit", True)]),
        (None, DeployOptions(), [("no commit", True)]),
        (make_git(dirty=("a",)), DeployOptions(kind="rollback"), []),
    ],
)
def test_production_requires_a_published_commit(
    git: Any, options: DeployOptions, issues: list[Any]
) -> None:
    prod = make_observation(SERVICES, env="prod", git=git)
    dev = make_observation(SERVICES, env="dev", git=git)

    assert run_check(check_git_checkout, prod, options) == issues
    assert run_check(check_git_checkout, dev, options) == []
