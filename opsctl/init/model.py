"""The data of `opsctl init`."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePosixPath


@dataclass(frozen=True, slots=True)
class ProjectFile:
    """A file that a project should have."""

    path: PurePosixPath
    text: str
    created_note: str = ""
    """What someone should know about the file when it is created."""
    kept_note: str = ""
    """What the options of this run would have changed in a file that is kept."""


class SourceKind(StrEnum):
    CHECKOUT = "checkout"
    WHEEL = "wheel"
    GIT = "git"
    ARCHIVE = "archive"


@dataclass(frozen=True, slots=True)
class InstallSource:
    """Where the written files install opsctl from: never a name on a package index."""

    kind: SourceKind
    location: str
    """As pip and pipx take it: a path that begins with `.` or `/`, or an address."""
    image_obstacle: str = ""
    """Why the build of an image cannot use it; empty if it can."""


class PathState(StrEnum):
    """What is at a path before anything is written."""

    NOTHING = "nothing"
    FILE = "file"
    DIRECTORY = "directory"
    OUTSIDE = "outside"
    """A link on the way leads out of the project."""
    OTHER = "other"


class InitAction(StrEnum):
    CREATE = "create"
    KEEP = "keep"


@dataclass(frozen=True, slots=True)
class InitStep:
    """One file: what will be done with it, and why."""

    path: str
    action: InitAction
    reason: str


@dataclass(frozen=True, slots=True)
class InitPlan:
    steps: tuple[InitStep, ...]
    install_from: str | None = None

    @property
    def pending(self) -> bool:
        return any(step.action is InitAction.CREATE for step in self.steps)
