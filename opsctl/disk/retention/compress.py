"""Compresses raw logs older than retention.compress_after_h."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from opsctl.disk.retention.plan import HOUR_NS, AgeClass
from opsctl.disk.retention.scope import RetainScope
from opsctl.errors import OpsctlError
from opsctl.systems.files.local import DiskFullError
from opsctl.systems.removal.gzip_copy import COMPRESSED_SUFFIXES, SUFFIX
from opsctl.systems.removal.open_folder import format_folder
from opsctl.systems.removal.safe_open import Below
from opsctl.systems.removal.tree import FoundFile, SkippedFolder

_KEPT_AGES = frozenset({AgeClass.YOUNG, AgeClass.MIDDLE})


@dataclass(slots=True)
class CompressionTotals:
    files: int = 0
    saved_bytes: int = 0
    folders: dict[str, tuple[int, int]] = field(default_factory=dict)

    def add(self, folder: str, saved_bytes: int) -> None:
        files, saved = self.folders.get(folder, (0, 0))
        self.folders[folder] = (files + 1, saved + saved_bytes)
        self.files += 1
        self.saved_bytes += saved_bytes


def compress_logs(scope: RetainScope, roots: Sequence[Path], *, ages_h: float) -> CompressionTotals:
    """Compress file by file, each completely or not at all; 0 hours turns it off."""
    compressed = CompressionTotals()
    for root in roots if ages_h else ():
        for below in scope.trees.folders(root):
            if isinstance(below, SkippedFolder):
                continue
            try:
                _compress_folder(scope, root, below, compressed, min_age_ns=round(ages_h * HOUR_NS))
            except DiskFullError:
                scope.totals.add_problem(f"{root}: the disk is too full to compress")
                return compressed
            except OpsctlError as error:
                scope.totals.add_problem(f"{error.what}: {error.why}")
    return compressed


def _compress_folder(
    scope: RetainScope, root: Path, below: Below, compressed: CompressionTotals, *, min_age_ns: int
) -> None:
    folder_path = f"{root}/{format_folder(below)}" if below else str(root)
    with scope.trees.open(root, below) as folder:
        # Listed first: a folder that grows while it is read may never end.
        for file in list(_compressible(scope, folder.batches(), min_age_ns=min_age_ns)):
            # Unknown before it is done: the plan counts 0.
            saved = 0 if scope.is_dry else folder.compress(file)
            if saved is not None:
                compressed.add(folder_path, saved)


def _compressible(
    scope: RetainScope, batches: Iterator[Sequence[FoundFile]], *, min_age_ns: int
) -> Iterator[FoundFile]:
    for batch in batches:
        for file in batch:
            age_ns = scope.ages.now_ns - file.modified_ns
            is_aged = age_ns >= min_age_ns and scope.ages.classify(file.modified_ns) in _KEPT_AGES
            is_compressed = file.name.endswith(COMPRESSED_SUFFIXES) or not scope.patterns.matches(
                file.name + SUFFIX
            )
            if (
                is_aged
                and not is_compressed
                and scope.patterns.matches(file.name)
                and file.links == 1
            ):
                yield file
