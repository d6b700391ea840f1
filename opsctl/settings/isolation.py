"""Is this checkout an experiment? Experiments never reach production."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from opsctl.errors import RefusedError
from opsctl.settings.sections.experiment import ExperimentSettings

# Where CI systems say which branch they build: their checkouts are detached.
CI_VARIABLES = (
    "GITHUB_HEAD_REF",
    "GITHUB_REF_NAME",
    "GITHUB_REF",
    "CI_COMMIT_REF_NAME",
    "CI_COMMIT_BRANCH",
    "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME",
    "BRANCH_NAME",
    "CHANGE_BRANCH",
    "GIT_BRANCH",
    "BUILDKITE_BRANCH",
    "CIRCLE_BRANCH",
    "TRAVIS_BRANCH",
    "BITBUCKET_BRANCH",
    "DRONE_BRANCH",
)
_PREFIXES = ("refs/heads/", "refs/remotes/", "refs/tags/", "remotes/", "heads/", "origin/")


@dataclass(frozen=True, slots=True)
class Checkout:
    """What git and CI say of the commit at hand; names come without their remote."""

    branch: str | None = None
    containing: tuple[str, ...] = ()
    remotes_containing: tuple[str, ...] = ()
    made_on: tuple[str, ...] = ()
    """Branches on which commits of this checkout, not yet on a trunk, were made."""
    renamed_from: tuple[str, ...] = ()
    """Earlier names of the branch at hand."""


@dataclass(frozen=True, slots=True)
class RedisIndexes:
    read: int
    write: int


def ci_branches(environ: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(environ[name] for name in CI_VARIABLES if environ.get(name))


def find_experiment_reason(
    checkout: Checkout, ci: Iterable[str], rules: ExperimentSettings
) -> str | None:
    """Say why this is an experiment, or None. The commit counts, not only the branch's name."""
    branch = (checkout.branch,) if checkout.branch else ()
    named = _reason((("the branch {} is checked out", branch), ("CI builds {}", ci)), rules)
    if named or _on_trunk(checkout.remotes_containing, rules):
        return named
    renamed = _reason((("it was {} before it was renamed", checkout.renamed_from),), rules)
    if renamed or _on_trunk(checkout.containing, rules):
        return renamed
    holders = (*checkout.containing, *checkout.remotes_containing)
    evidence = ("the commit belongs to {}", holders), ("it holds work of {}", checkout.made_on)
    return _reason(evidence, rules)


def is_experiment_branch(name: str, rules: ExperimentSettings) -> bool:
    return _bare(name).startswith(tuple(prefix.casefold() for prefix in rules.branch_prefixes))


def refuse_on_production(reason: str | None, *, env: str, verb: str) -> None:
    """Stop a verb that changes production when the checkout is an experiment."""
    if reason is not None and env == "prod":
        raise RefusedError(
            f"{verb} refused: experiments never reach production",
            why=reason,
            hint="Merge it into the trunk first, or use -e dev.",
        )


def opens_read_only(reason: str | None, *, env: str) -> bool:
    """An experiment reads the production database and never writes it."""
    return reason is not None and env == "prod"


def redis_indexes(reason: str | None, *, stack: int, rules: ExperimentSettings) -> RedisIndexes:
    """An experiment reads the stack's index and writes to its own."""
    return RedisIndexes(stack, stack if reason is None else rules.redis_db)


def _reason(evidence: Iterable[tuple[str, Iterable[str]]], rules: ExperimentSettings) -> str | None:
    for says, names in evidence:
        for name in names:
            if is_experiment_branch(name, rules):
                return says.format(name)
    return None


def _on_trunk(names: Iterable[str], rules: ExperimentSettings) -> bool:
    return bool({trunk.casefold() for trunk in rules.trunks} & {_bare(name) for name in names})


def _bare(name: str) -> str:
    bare = name.casefold()
    for prefix in _PREFIXES:
        bare = bare.removeprefix(prefix)
    return bare
