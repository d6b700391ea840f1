"""Reads a project once: its files, what compose makes of them, settings, and what git says."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from opsctl.errors import SettingsError, UsageError
from opsctl.policy.context import PolicyContext
from opsctl.policy.project import (
    CheckedProject,
    EnvironmentSettings,
    GitState,
    SourceFile,
    is_below,
)
from opsctl.policy.render_compose import ComposeRenderer, is_compose
from opsctl.settings.reading.choose_environment import ENVIRONMENTS
from opsctl.settings.reading.find_settings_files import BASE

_KIB = 1024
_BINARY_HEAD = 8_192
_AT_ONCE = 4


@dataclass(frozen=True)
class ProjectReader:
    context: PolicyContext
    within: Callable[[str], bool]
    """Which paths were asked for."""

    @cached_property
    def root(self) -> Path:
        return self.context.project_dir

    @cached_property
    def _top(self) -> Path | None:
        facts = self.context.git.facts(self.root)
        return facts.top_level if facts else None

    @cached_property
    def _inside(self) -> str:
        """Where the project lies in the repository."""
        if self._top is None:
            return ""
        inside = self.root.resolve().relative_to(self._top.resolve()).as_posix()
        return "" if inside == "." else inside

    def project(self) -> CheckedProject:
        settings, names = self.context.settings, self._names()
        # Rendering waits for another program, and so does git: meanwhile the rest goes on.
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            branch = pool.submit(self._branch)
            sources, unread = self._read(names.files)
            renderer = ComposeRenderer(
                self.root, self.context.compose, {one.path: one for one in sources}
            )
            composes = [pool.submit(renderer.render, one) for one in sources if is_compose(one)]
            environments = self._environments()
        return CheckedProject(
            sources,
            settings.policy,
            settings.deploy,
            migrations=settings.migrations.directory,
            allows_alone=settings.migrations.allow_non_transactional,
            composes=tuple(future.result() for future in composes),
            branch=replace(branch.result(), tracked=names.tracked),
            environments=environments,
            unread=unread,
            on_disk=names.migrations,
        )

    def _names(self) -> "_ProjectFileNames":
        """List what belongs to the project: what git tracks, and what is new and not ignored."""
        policy, folder = self.context.settings.policy, self.context.settings.migrations.directory
        on_disk = tuple(self.context.tree.walk(self.root / folder, skips=lambda _: True))
        if self._top is None:
            skipped = frozenset(policy.skip_dirs)
            files = tuple(self.context.tree.walk(self.root, skips=skipped.__contains__))
            return _ProjectFileNames(files, frozenset(), on_disk)
        tracked = [*self._own(path.as_posix() for path in self.context.git.tracked(self.root))]
        new = self._own(self.context.history.untracked(self._top))
        named = (f"{folder}/{name}" for name in on_disk if name.endswith(".sql"))
        files = tuple(dict.fromkeys((*tracked, *new, *named)))
        return _ProjectFileNames(files, frozenset(tracked), on_disk)

    def _own(self, names: Iterator[str] | tuple[str, ...]) -> Iterator[str]:
        """Keep what lies in the project, as seen from it."""
        prefix = f"{self._inside}/" if self._inside else ""
        return (name.removeprefix(prefix) for name in names if name.startswith(prefix))

    def _read(
        self, names: tuple[str, ...]
    ) -> tuple[tuple[SourceFile, ...], tuple[tuple[str, str], ...]]:
        limit = self.context.settings.policy.file_limit_kb * _KIB
        wanted = [name for name in names if self.within(name)]
        sources, unread = [], []
        for found in self.context.tree.read(self.root, wanted, limit_bytes=limit):
            if found.data is None:
                unread.append((found.name, found.why))
            elif b"\0" not in found.data[:_BINARY_HEAD]:
                sources.append(SourceFile(found.name, found.data.decode("utf-8", "replace")))
        return tuple(sources), tuple(unread)

    def _branch(self) -> GitState:
        if self._top is None:
            return GitState()
        trunks = self.context.settings.experiment.trunks
        folder = "/".join(filter(None, (self._inside, self.context.settings.migrations.directory)))
        experiment = self.context.experiment
        rewrites = self.context.history.rewrites(self._top, folder, trunks)
        changed = self.context.history.changed(self._top, trunks) if experiment else ()
        return GitState(
            is_repository=True,
            experiment=experiment,
            changed=None if changed is None else tuple(self._own(changed)),
            rewrites=None
            if rewrites is None
            else tuple(replace(r, path=next(self._own((r.path,)), r.path)) for r in rewrites),
        )

    def _environments(self) -> EnvironmentSettings:
        if not (self.root / BASE).exists():
            return EnvironmentSettings()
        secrets: dict[tuple[str, str], None] = {}
        errors: dict[str, str] = {}
        for env in ENVIRONMENTS:
            try:
                loaded = self.context.loaded_for(env)
            except SettingsError as error:
                why = f" ({error.why})" if error.why else ""
                errors[env] = f"{error.what}{why}"
                continue
            for value in loaded.resolved.describe():
                in_file = value.origin.rpartition(":")[0] in loaded.files
                if value.secret and value.value and in_file:
                    secrets[value.path, value.origin] = None
        return EnvironmentSettings(tuple(secrets), errors)


@dataclass(frozen=True, slots=True)
class _ProjectFileNames:
    files: tuple[str, ...]
    tracked: frozenset[str]
    migrations: tuple[str, ...]


def path_filter(paths: tuple[str, ...], *, here: Path, root: Path) -> Callable[[str], bool]:
    """Say which names were asked for; all of them where no path was."""
    wanted = []
    for path in paths:
        full = (here / path).resolve()
        if not full.exists():
            hint = "Paths are seen from where the command runs."
            raise UsageError(f"{path} does not exist", hint=hint)
        if not full.is_relative_to(root.resolve()):
            raise UsageError(f"{path} is outside of the project", why=f"the project is {root}")
        wanted.append(full.relative_to(root.resolve()).as_posix())
    if not wanted or "." in wanted:
        return lambda _: True
    return lambda name: any(is_below(name, one) for one in wanted)
