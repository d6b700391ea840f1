"""What services mount from the project, and what was in those files."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias


class SourceKind(StrEnum):
    BIND = "bind"
    CONFIG = "config"
    SECRET = "secret"  # noqa: S105 - a kind


@dataclass(frozen=True, slots=True)
class MountedSource:
    """A file or folder that a service mounts, a config, or a secret."""

    service: str
    path: str
    """As the compose file has it."""
    kind: SourceKind
    is_read_only: bool = False


@dataclass(frozen=True, slots=True)
class FileRecord:
    """One file as it was: its digest, and its content only where that is stored."""

    path: str
    digest: str
    inside: str = ""
    """Its place in a mounted folder; empty for a file that is mounted itself."""
    mode: int = 0o644
    is_private: bool = False
    """A secret, or a file that git does not track: the digest is keyed."""
    is_stored: bool = False


MountedFiles: TypeAlias = Mapping[str, Mapping[str, tuple[FileRecord, ...]]]
"""Service to source to the files of that source."""
