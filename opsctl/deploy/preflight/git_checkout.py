"""Production runs committed code, and no experiments."""

from collections.abc import Iterator

from opsctl.deploy.model import DeployIssue
from opsctl.deploy.preflight.model import PreflightInput

LISTED_FILES = 3


def check_experiment(facts: PreflightInput) -> Iterator[DeployIssue]:
    if facts.observation.target.is_prod and facts.observation.experiment:
        yield DeployIssue(
            "experiment",
            f"experiments never reach production: {facts.observation.experiment}",
            "Merge it into the main branch first, or use -e dev.",
        )


def check_git_checkout(facts: PreflightInput) -> Iterator[DeployIssue]:
    """Require commits in production, so that what runs can be found again."""
    git = facts.observation.git
    if not facts.observation.target.is_prod or facts.options.kind == "rollback":
        return
    if git is None or git.head is None:
        yield DeployIssue(
            "no commit",
            "this is not a git checkout with a commit: what runs cannot be found again",
            "git init && git add -A && git commit",
            is_warning=True,
        )
        return
    changed = (*git.dirty, *git.untracked)
    if changed:
        yield DeployIssue(
            "uncommitted changes",
            f"{len(changed)} files differ from the commit: {_list_some(changed)}",
            "Commit or stash them, or allow them with --allow-dirty, which is recorded.",
            is_warning=facts.options.allow_dirty,
        )
    if not git.is_published:
        yield DeployIssue(
            "unpublished commit",
            f"no remote branch contains {git.head[:12]}: only this machine has it",
            "git push",
            is_warning=True,
        )


def _list_some(names: tuple[str, ...]) -> str:
    listed, more = ", ".join(names[:LISTED_FILES]), len(names) - LISTED_FILES
    return f"{listed} and {more} more" if more > 0 else listed
