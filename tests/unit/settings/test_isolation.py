import pytest

from opsctl.errors import RefusedError
from opsctl.settings.isolation import (
    Checkout,
    RedisIndexes,
    ci_branches,
    find_experiment_reason,
    opens_read_only,
    redis_indexes,
    refuse_on_production,
)
from opsctl.settings.sections.experiment import ExperimentSettings

RULES = ExperimentSettings()

EXPERIMENTS = {
    "the branch itself": Checkout("exp/a"),
    "the branch in capitals": Checkout("EXP/a"),
    "the branch, freshly made on the trunk": Checkout("exp/a", ("main", "exp/a"), ("main",)),
    "a branch made from it": Checkout("fix", ("fix", "exp/a")),
    "detached on its commit": Checkout(None, ("exp/a",)),
    "detached, only the remote has it": Checkout(None, (), ("exp/a",)),
    "a tag of it": Checkout(None, ("exp/v1",)),
    "renamed": Checkout("fix", ("fix",), renamed_from=("exp/a",)),
    "renamed onto the trunk": Checkout("main", ("main",), renamed_from=("exp/a",)),
    "renamed on, the old name deleted": Checkout("fix", ("fix",), made_on=("exp/a",)),
}


@pytest.mark.parametrize("checkout", EXPERIMENTS.values(), ids=EXPERIMENTS)
def test_an_experiment_is_known_by_its_commit(checkout: Checkout) -> None:
    assert find_experiment_reason(checkout, (), RULES)


CLEAN = {
    "the trunk": Checkout("main", ("main", "exp/a"), ("main", "exp/a")),
    "detached on a pushed trunk": Checkout(None, ("exp/a",), ("main", "exp/a")),
    "merged forward, not pushed": Checkout("main", ("main", "exp/a"), made_on=("exp/a",)),
    "a feature": Checkout("feature/exp/a", ("feature/exp/a",)),
    "a word that only starts alike": Checkout("experiment", ("experiment",)),
    "no commit yet": Checkout(),
}


@pytest.mark.parametrize("checkout", CLEAN.values(), ids=CLEAN)
def test_what_the_trunk_holds_is_no_experiment(checkout: Checkout) -> None:
    assert find_experiment_reason(checkout, (), RULES) is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("GITHUB_HEAD_REF", "exp/a"),
        ("GITHUB_REF", "refs/heads/exp/a"),
        ("CI_COMMIT_REF_NAME", "exp/a"),
        ("GIT_BRANCH", "origin/exp/a"),
    ],
)
def test_ci_tells_the_branch_of_a_detached_checkout(name: str, value: str) -> None:
    assert (
        find_experiment_reason(Checkout(), ci_branches({name: value}), RULES)
        == f"CI builds {value}"
    )


def test_an_experiment_is_refused_on_production_alone() -> None:
    refuse_on_production("it is one", env="dev", command="up")
    refuse_on_production(None, env="prod", command="up")

    with pytest.raises(RefusedError, match="cannot run up on production") as caught:
        refuse_on_production("it is one", env="prod", command="up")

    assert caught.value.exit_code == 5


def test_an_experiment_reads_the_production_database_only() -> None:
    assert opens_read_only("it is one", env="prod")
    assert not opens_read_only("it is one", env="dev")
    assert not opens_read_only(None, env="prod")


def test_an_experiment_writes_to_its_own_index() -> None:
    assert redis_indexes("it is one", stack=0, rules=RULES) == RedisIndexes(read=0, write=10)
    assert redis_indexes(None, stack=0, rules=RULES) == RedisIndexes(read=0, write=0)
