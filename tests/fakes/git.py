"""A checkout that is only told about."""

from dataclasses import dataclass, field
from pathlib import Path

from opsctl.errors import OpsctlError
from opsctl.systems.git.repository import GitFacts


@dataclass(slots=True)
class ToldGit:
    """Knows one checkout, `told`; files by commit, the checked out one under its own id too."""

    told: GitFacts | None = None
    files: dict[str, dict[str, bytes]] = field(default_factory=dict)

    def version(self) -> str:
        return "2.39.5"

    def facts(self, directory: Path, *, trunks: tuple[str, ...] = ()) -> GitFacts | None:
        del trunks  # what they leave out is left out already
        if self.told is None or not directory.is_relative_to(self.told.top_level):
            return None
        return self.told

    def head(self, directory: Path) -> str | None:
        facts = self.facts(directory)
        return facts.head if facts else None

    def top_level(self, directory: Path) -> Path:
        facts = self.facts(directory)
        if facts is None:
            what = f"cannot ask git about {directory}"
            raise OpsctlError(what, why="it is not in a git repository")
        return facts.top_level

    def tracked(self, directory: Path) -> tuple[Path, ...]:
        return tuple(Path(name) for name in sorted(self._at(directory, "HEAD") or {}))

    def show(self, directory: Path, path: str, *, commit: str = "HEAD") -> bytes | None:
        return (self._at(directory, commit) or {}).get(path)

    def _at(self, directory: Path, commit: str) -> dict[str, bytes] | None:
        facts = self.facts(directory)
        if facts is None:
            what = f"cannot ask git about {directory}"
            raise OpsctlError(what, why="it is not in a git repository")
        return self.files.get((facts.head or "") if commit == "HEAD" else commit)
