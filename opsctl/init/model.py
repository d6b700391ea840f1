"""The nouns of `opsctl init`."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePosixPath


@dataclass(frozen=True, slots=True)
class Draft:
    """A file that a project should have."""

    path: PurePosixPath
    text: str


class Found(StrEnum):
    """What stands at a path before anything is written."""

    NOTHING = "nothing"
    FILE = "file"
    DIRECTORY = "directory"
    OUTSIDE = "outside"
    """A link on the way leads out of the project."""
    OTHER = "other"


class Deed(StrEnum):
    CREATE = "create"
    KEEP = "keep"


@dataclass(frozen=True, slots=True)
class Step:
    """One file: what will be done with it, and why."""

    path: str
    deed: Deed
    reason: str


@dataclass(frozen=True, slots=True)
class Plan:
    steps: tuple[Step, ...]

    @property
    def pending(self) -> bool:
        return any(step.deed is Deed.CREATE for step in self.steps)
