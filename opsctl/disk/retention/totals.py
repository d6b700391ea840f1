"""What a run has met and done so far, and what it goes by."""

from dataclasses import dataclass, field

from opsctl.disk.retention.plan import Ages, Names
from opsctl.disk.retention.removal_log import Done
from opsctl.state.model import FileListing
from opsctl.systems.removal.tree import Trees


@dataclass(slots=True)
class Tally:
    future: int = 0
    undated: int = 0
    gone_files: int = 0
    freed_bytes: int = 0
    written: int = 0
    recovered: int = 0
    troubles: list[str] = field(default_factory=list)
    steps: dict[str, tuple[int, int]] = field(default_factory=dict)

    def add_done(self, done: Done) -> None:
        files, size = self.steps.get(place := named(done.lot), (0, 0))
        self.steps[place] = (files + done.gone, size + done.frees_bytes)
        self.gone_files += done.gone
        self.freed_bytes += done.frees_bytes
        self.written += done.written
        if done.trouble:
            self.add_trouble(f"{place}: {done.trouble}")

    def add_trouble(self, trouble: str) -> None:
        self.troubles.append(trouble)


def named(lot: FileListing) -> str:
    return lot.folder.decode("utf-8", "surrogateescape")


@dataclass(frozen=True, slots=True)
class Scope:
    """What a run goes by."""

    trees: Trees
    ages: Ages
    names: Names
    tally: Tally
    is_dry: bool
