"""Decides which files a project still needs."""

from collections.abc import Iterable, Mapping

from opsctl.errors import RefusedError
from opsctl.init.model import InitAction, InitPlan, InitStep, InstallSource, PathState, ProjectFile

_REFUSED = {
    PathState.DIRECTORY: "a directory has that name",
    PathState.OUTSIDE: "a link on the way leads out of the project",
    PathState.OTHER: "something that is not a file has that name",
}


def plan_init(
    files: Iterable[ProjectFile],
    states: Mapping[str, PathState],
    source: InstallSource | None = None,
) -> InitPlan:
    """Create what is missing, keep what is there; refuse all if one place cannot be a file."""
    steps = tuple(_step(file, states[str(file.path)]) for file in files)
    return InitPlan(steps, source.location if source else None)


def _step(file: ProjectFile, state: PathState) -> InitStep:
    if state is PathState.NOTHING:
        return InitStep(
            str(file.path), InitAction.CREATE, _reason("it is missing", file.created_note)
        )
    if state is PathState.FILE:
        return InitStep(
            str(file.path), InitAction.KEEP, _reason("it exists already", file.kept_note)
        )
    raise RefusedError(
        f"cannot create {file.path}",
        why=_REFUSED[state],
        hint="Move it out of the way, then run `opsctl init` again; nothing was changed.",
    )


def _reason(reason: str, note: str) -> str:
    return f"{reason}; {note}" if note else reason
