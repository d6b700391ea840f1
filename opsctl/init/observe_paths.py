"""Looks at what stands where the drafts would go."""

from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from opsctl.init.model import PathState, ProjectFile
from opsctl.systems.files.local import Files, PathKind

_FOUND = {
    PathKind.NOTHING: PathState.NOTHING,
    PathKind.FILE: PathState.FILE,
    PathKind.DIRECTORY: PathState.DIRECTORY,
}


def observe_paths(root: Path, drafts: Iterable[ProjectFile], files: Files) -> dict[str, PathState]:
    return {str(draft.path): _observe_path(root, draft.path, files) for draft in drafts}


def _observe_path(root: Path, path: PurePosixPath, files: Files) -> PathState:
    folder = files.resolve(root / path.parent)
    if not folder.is_relative_to(files.resolve(root)):
        return PathState.OUTSIDE
    return _FOUND.get(files.kind(root / path), PathState.OTHER)
