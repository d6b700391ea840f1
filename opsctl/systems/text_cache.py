"""Texts that opsctl caches to save time; deleting them loses nothing else."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from opsctl.errors import OpsctlError
from opsctl.logs import logger
from opsctl.systems.files.local import OTHERS, LocalFiles

LIMIT_BYTES = 1 << 20
# A build in a folder of its own each time would fill the home otherwise.
MOST_TEXTS = 64
_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class FileTextCache:
    """One private file a text. What another user owns or may write to is not believed."""

    def __init__(self, directory: Path, *, generation: str) -> None:
        self._directory = directory
        self.generation = generation

    def recall(self, name: str) -> str | None:
        try:
            descriptor = os.open(self._directory / name, _FLAGS)
        except OSError:
            return None
        with os.fdopen(descriptor, encoding="utf-8", errors="surrogateescape") as file:
            return file.read(LIMIT_BYTES) if _is_ours(os.fstat(descriptor)) else None

    def keep(self, name: str, text: str) -> None:
        try:
            files = LocalFiles()
            files.make_private_dir(self._directory)
            files.write_text(self._directory / name, text)
            self._forget_oldest()
        except (OpsctlError, OSError) as error:
            logger(__name__).debug("Nothing is remembered: %s", error)

    def _forget_oldest(self) -> None:
        with os.scandir(self._directory) as entries:
            by_age = sorted(
                entries, key=lambda entry: entry.stat(follow_symlinks=False).st_mtime_ns
            )
        for entry in by_age[:-MOST_TEXTS]:
            Path(entry.path).unlink()


def code_generation(package: Path, version: str) -> str:
    """Name the code by its version and its files' times: an upgrade in place counts as new."""
    return f"{version} {max(_code_times(package))}"


def _code_times(package: Path) -> Iterator[int]:
    with os.scandir(package) as entries:
        for entry in entries:
            if entry.name.endswith(".py"):
                yield entry.stat().st_mtime_ns
            elif entry.is_dir() and entry.name != "__pycache__":
                yield from _code_times(Path(entry.path))


def _is_ours(found: os.stat_result) -> bool:
    private = stat.S_ISREG(found.st_mode) and not found.st_mode & OTHERS
    return private and found.st_uid == os.geteuid()
