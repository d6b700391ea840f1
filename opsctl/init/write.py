"""Creates the planned files; removes them again on a failure or an interruption."""

from collections.abc import Iterable
from pathlib import Path

from opsctl.errors import OpsctlError, UnrestoredError
from opsctl.init.model import InitAction, InitPlan, ProjectFile
from opsctl.progress import Progress
from opsctl.systems.files.local import FileExistsAlreadyError, Files, LeftBehindError

READABLE = 0o644


def write_files(
    root: Path, plan: InitPlan, drafts: Iterable[ProjectFile], *, files: Files, progress: Progress
) -> None:
    """Create the planned files, or none of them."""
    texts = {str(draft.path): draft.text for draft in drafts}
    wanted = [step.path for step in plan.steps if step.action is InitAction.CREATE]
    made: list[Path] = []
    try:
        for number, name in enumerate(wanted):
            progress.advance(number, len(wanted), name)
            path = root / name
            made.extend(files.make_dirs(path.parent))
            made.append(path)
            files.create_text(path, texts[name], mode=READABLE)
    except OpsctlError as error:
        _remove_created(_created_here(made, error), files, error)
        raise OpsctlError(
            "cannot write the project's files; what had been written was removed again",
            why=f"{error.what}: {error.why}",
            hint=error.hint,
        ) from error
    except BaseException as error:
        _remove_created(made, files, error)
        raise
    progress.advance(len(wanted), len(wanted), "")


def _created_here(made: list[Path], error: OpsctlError) -> list[Path]:
    """List what this run made: not a file that somebody else was quicker to make."""
    if isinstance(error, FileExistsAlreadyError):
        return made[:-1]
    return [*made, error.path] if isinstance(error, LeftBehindError) else made


def _remove_created(made: list[Path], files: Files, cause: BaseException) -> None:
    left = [path for path in reversed(made) if not _was_removed(path, files)]
    if left:
        names = ", ".join(str(path) for path in left)
        raise UnrestoredError(
            f"cannot finish, and cannot remove what was written: {names}",
            why=getattr(cause, "what", "") or "it was interrupted",
            hint=f"Remove by hand what you do not want: {names}",
        ) from cause


def _was_removed(path: Path, files: Files) -> bool:
    try:
        files.remove(path)
    except OpsctlError:
        return False
    return True
