"""Compresses raw logs that are past their first hours, if settings want it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from opsctl.disk.retention.plan import HOUR_NS, Age
from opsctl.disk.retention.totals import Scope
from opsctl.errors import OpsctlError
from opsctl.systems.files.local import DiskFullError
from opsctl.systems.removal.gzip_copy import COMPRESSED_SUFFIXES, SUFFIX
from opsctl.systems.removal.open_folder import format_folder
from opsctl.systems.removal.safe_open import Below
from opsctl.systems.removal.tree import FoundFile, SkippedFolder

_KEPT = frozenset({Age.YOUNG, Age.MIDDLE})


@dataclass(slots=True)
class Squeezed:
    files: int = 0
    saved_bytes: int = 0
    folders: dict[str, tuple[int, int]] = field(default_factory=dict)

    def add(self, folder: str, saved_bytes: int) -> None:
        files, saved = self.folders.get(folder, (0, 0))
        self.folders[folder] = (files + 1, saved + saved_bytes)
        self.files += 1
        self.saved_bytes += saved_bytes


def compress(scope: Scope, roots: Sequence[Path], *, ages_h: float) -> Squeezed:
    """Do it file by file, each whole or not at all; 0 hours turn it off."""
    squeezed = Squeezed()
    for root in roots if ages_h else ():
        for below in scope.trees.folders(root):
            if isinstance(below, SkippedFolder):
                continue
            try:
                _compress_folder(scope, root, below, squeezed, least_ns=round(ages_h * HOUR_NS))
            except DiskFullError:
                scope.tally.add_trouble(f"{root}: the disk is too full to compress")
                return squeezed
            except OpsctlError as error:
                scope.tally.add_trouble(f"{error.what}: {error.why}")
    return squeezed


def _compress_folder(
    scope: Scope, root: Path, below: Below, squeezed: Squeezed, *, least_ns: int
) -> None:
    place = f"{root}/{format_folder(below)}" if below else str(root)
    with scope.trees.open(root, below) as folder:
        # Listed first: a folder that grows while it is read may never end.
        for file in list(_wanted(scope, folder.batches(), least_ns=least_ns)):
            # A guess for the plan; nobody knows before it is done.
            saved = 0 if scope.is_dry else folder.compress(file)
            if saved is not None:
                squeezed.add(place, saved)


def _wanted(
    scope: Scope, batches: Iterator[Sequence[FoundFile]], *, least_ns: int
) -> Iterator[FoundFile]:
    for batch in batches:
        for file in batch:
            age_ns = scope.ages.now_ns - file.modified_ns
            is_aged = age_ns >= least_ns and scope.ages.judge(file.modified_ns) in _KEPT
            is_packed = file.name.endswith(COMPRESSED_SUFFIXES) or not scope.names.fit(
                file.name + SUFFIX
            )
            if is_aged and not is_packed and scope.names.fit(file.name) and file.links == 1:
                yield file
