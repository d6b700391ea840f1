"""The rules of a run, and its totals so far."""

from dataclasses import dataclass, field

from opsctl.disk.retention.plan import AgeLimits, NamePatterns
from opsctl.disk.retention.removal_log import RemovalResult
from opsctl.state.model import FileListing
from opsctl.systems.removal.tree import Trees


@dataclass(slots=True)
class RetainTotals:
    future: int = 0
    undated: int = 0
    deleted_files: int = 0
    freed_bytes: int = 0
    written: int = 0
    recovered: int = 0
    problems: list[str] = field(default_factory=list)
    steps: dict[str, tuple[int, int]] = field(default_factory=dict)

    def add_result(self, result: RemovalResult) -> None:
        files, size = self.steps.get(folder := folder_text(result.lot), (0, 0))
        self.steps[folder] = (files + result.deleted, size + result.frees_bytes)
        self.deleted_files += result.deleted
        self.freed_bytes += result.frees_bytes
        self.written += result.written
        if result.problem:
            self.add_problem(f"{folder}: {result.problem}")

    def add_problem(self, problem: str) -> None:
        self.problems.append(problem)


def folder_text(lot: FileListing) -> str:
    return lot.folder.decode("utf-8", "surrogateescape")


@dataclass(frozen=True, slots=True)
class RetainScope:
    """The rules and totals of a run."""

    trees: Trees
    ages: AgeLimits
    patterns: NamePatterns
    totals: RetainTotals
    is_dry: bool
