"""Decides which files a project still needs."""

from collections.abc import Iterable, Mapping

from opsctl.errors import RefusedError
from opsctl.init.model import InitAction, InitPlan, InitStep, PathState, ProjectFile

_REFUSED = {
    PathState.DIRECTORY: "a directory has that name",
    PathState.OUTSIDE: "a link on the way leads out of the project",
    PathState.OTHER: "something that is not a file has that name",
}


def plan_init(drafts: Iterable[ProjectFile], found: Mapping[str, PathState]) -> InitPlan:
    """Create what is missing, keep what is there; refuse all if one place cannot be a file."""
    return InitPlan(tuple(_step(draft, found[str(draft.path)]) for draft in drafts))


def _step(draft: ProjectFile, found: PathState) -> InitStep:
    if found is PathState.NOTHING:
        return InitStep(str(draft.path), InitAction.CREATE, "it is missing")
    if found is PathState.FILE:
        return InitStep(str(draft.path), InitAction.KEEP, "it exists already")
    raise RefusedError(
        f"cannot create {draft.path}",
        why=_REFUSED[found],
        hint="Move it out of the way, then run `opsctl init` again; nothing was changed.",
    )
