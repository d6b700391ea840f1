"""What the rules read: a project's files, compose files, settings and git history, read once."""

import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cached_property
from typing import TYPE_CHECKING

from opsctl.settings.sections.deploy import Deploy
from opsctl.settings.sections.policy import Policy
from opsctl.systems.engine.compose_model import RenderedProject, Service
from opsctl.systems.git.history import Rewrite

if TYPE_CHECKING:
    from opsctl.sql.lexer import SqlScript

_BREAK = re.compile("\n")


@dataclass(frozen=True)
class SourceFile:
    """A text file; `path` is seen from the project, with slashes."""

    path: str
    text: str = field(repr=False)

    @cached_property
    def lowered(self) -> str:
        return self.text.lower()

    @cached_property
    def name(self) -> str:
        return self.path.rpartition("/")[2]

    @cached_property
    def suffix(self) -> str:
        # As pathlib would say it, at a tenth of the time: a tree has thousands of names.
        stem, dot, ending = self.name.rpartition(".")
        return f"{dot}{ending}".lower() if stem else ""

    @cached_property
    def _breaks(self) -> tuple[int, ...]:
        return tuple(match.start() for match in _BREAK.finditer(self.text))

    def line_of(self, offset: int) -> int:
        return bisect_left(self._breaks, offset) + 1

    def line_at(self, offset: int) -> str:
        start = self.text.rfind("\n", 0, offset) + 1
        end = self.text.find("\n", offset)
        return self.text[start : end if end >= 0 else len(self.text)]

    def find(self, pattern: re.Pattern[str]) -> Iterator[re.Match[str]]:
        return pattern.finditer(self.text)


@dataclass(frozen=True, slots=True)
class CheckedComposeFile:
    """A compose file and what compose makes of it; `error_text` says why it could not."""

    source: SourceFile
    env: str
    """prod, dev, local, test; empty where its name does not tell."""
    rendered: RenderedProject | None = None
    error_text: str = ""
    given: Mapping[str, str] = field(default_factory=dict)
    """Variables that were filled in from outside of the file."""

    def services(self) -> Iterator[Service]:
        if self.rendered is not None:
            yield from self.rendered.services.values()


@dataclass(frozen=True, slots=True)
class GitState:
    """What git says; empty where there is no repository."""

    is_repository: bool = False
    experiment: str | None = None
    changed: tuple[str, ...] | None = None
    """Files that differ from the trunk; None where that cannot be known."""
    rewrites: tuple[Rewrite, ...] | None = None
    untracked: frozenset[str] = frozenset()
    tracked: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class EnvironmentSettings:
    """What was noticed in the settings; `errors` are those that cannot be read."""

    secrets_in_files: tuple[tuple[str, str], ...] = ()
    """Name of a setting, and where it stands."""
    errors: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class CheckedProject:
    sources: tuple[SourceFile, ...]
    policy: Policy
    deploy: Deploy = field(default_factory=Deploy)
    """Which services may do what, and what counts as a database: a deploy uses the same."""
    migrations: str = "migrations"
    allows_alone: bool = False
    """Migrations may ask to run without a transaction."""
    composes: tuple[CheckedComposeFile, ...] = ()
    branch: GitState = GitState()
    environments: EnvironmentSettings = field(default_factory=EnvironmentSettings)
    unread: tuple[tuple[str, str], ...] = ()
    on_disk: tuple[str, ...] = ()
    """Names in the migrations' folder, ignored ones included."""

    def ending(self, *suffixes: str) -> Iterator[SourceFile]:
        return (source for source in self.sources if source.suffix in suffixes)

    def named(self, *patterns: str) -> Iterator[SourceFile]:
        """Choose by the file's own name."""
        return (s for s in self.sources if any(fnmatchcase(s.name, p) for p in patterns))

    @cached_property
    def by_path(self) -> Mapping[str, SourceFile]:
        return {source.path: source for source in self.sources}

    @cached_property
    def scripts(self) -> "tuple[tuple[SourceFile, SqlScript], ...]":
        """Read every migration once, down parts included."""
        prefix = f"{self.migrations}/"
        files = [s for s in self.ending(".sql") if s.path.startswith(prefix)]
        if not files:
            return ()
        from opsctl.sql.lexer import read_script  # noqa: PLC0415 - only projects with SQL need it

        return tuple((source, read_script(source.text)) for source in files)


def is_below(path: str, folder: str) -> bool:
    return folder in {"", "."} or path == folder or path.startswith(f"{folder}/")


_SERVICES = re.compile(r"['\"]?services['\"]?\s*:")


def line_in_compose(source: SourceFile, service: str, key: str = "") -> int:
    """Find where a compose file speaks of a service, or of one key of it; else its first line."""
    lines = source.text.splitlines()
    top = next(
        (n for n, line in enumerate(lines) if re.match(r"['\"]?services['\"]?\s*:", line)), None
    )
    if top is None:
        return 1
    start = _header(lines, top + 1, service)
    if start is None:
        return top + 1
    depth = _indent(lines[start])
    for number in range(start + 1, len(lines)):
        line = lines[number]
        if line.strip() and not line.lstrip().startswith("#") and _indent(line) <= depth:
            break
        if key and re.match(rf"\s*-?\s*['\"]?{re.escape(key)}['\"]?\s*[:=]", line):
            return number + 1
    return start + 1


def _header(lines: Sequence[str], start: int, service: str) -> int | None:
    wanted = re.compile(rf"\s+['\"]?{re.escape(service)}['\"]?\s*:")
    return next((n for n in range(start, len(lines)) if wanted.match(lines[n])), None)


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())
