"""Looks at what stands where the drafts would go."""

from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from opsctl.init.model import Draft, Found
from opsctl.systems.files.local import Files, Kind

_FOUND = {Kind.NOTHING: Found.NOTHING, Kind.FILE: Found.FILE, Kind.DIRECTORY: Found.DIRECTORY}


def observe(root: Path, drafts: Iterable[Draft], files: Files) -> dict[str, Found]:
    return {str(draft.path): _find(root, draft.path, files) for draft in drafts}


def _find(root: Path, path: PurePosixPath, files: Files) -> Found:
    folder = files.resolve(root / path.parent)
    if not folder.is_relative_to(files.resolve(root)):
        return Found.OUTSIDE
    return _FOUND.get(files.kind(root / path), Found.OTHER)
