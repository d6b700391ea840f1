"""The data of `opsctl init`."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePosixPath


@dataclass(frozen=True, slots=True)
class ProjectFile:
    """A file that a project should have."""

    path: PurePosixPath
    text: str


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

    @property
    def pending(self) -> bool:
        return any(step.action is InitAction.CREATE for step in self.steps)
