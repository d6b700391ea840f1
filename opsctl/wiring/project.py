"""What every part needs: the project, its settings, its state, this machine and its checkout."""

import os
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Self, TextIO

from opsctl import __version__, logs
from opsctl import settings as settings_code
from opsctl.errors import BusyError, OpsctlError, RefusedError, SettingsError
from opsctl.settings import (
    LoadedSettings,
    Settings,
    SettingsRequest,
    default_settings,
    load_settings,
)
from opsctl.settings.reading.find_settings_files import DOTENV
from opsctl.settings.sections.state import state_directory
from opsctl.systems.clock import Clock, SystemClock
from opsctl.systems.files.local import Files, LocalFiles, MissingFileError, PathKind
from opsctl.systems.text_cache import FileTextCache, code_generation
from opsctl.value import Value

if TYPE_CHECKING:
    from opsctl.state.locks import Locks
    from opsctl.state.model import Actor
    from opsctl.state.store import Store
    from opsctl.systems.git.repository import Git
    from opsctl.systems.host import Host
    from opsctl.systems.process.run import Processes


class ProjectLocation(Value):
    """The directory, settings file and environment that the command line names."""

    directory: str = "."
    config: str | None = None
    env: str | None = None


# The settings that `--timeout` overrides: one wait for one system each.
_WAITS = (
    "engine.timeout_s",
    "redis.timeout_s",
    "database.connect_timeout_s",
    "doctor.timeout_s",
    "disk.timeout_s",
    "notify.timeout_s",
)


STATE_HINT = (
    "Or keep the state elsewhere: set state.dir (OPSCTL_STATE_DIR) to a writable directory."
)


class ProjectWiring:
    """The project of one run; `settings` replace the files, e.g. if they cannot be read."""

    def __init__(
        self,
        place: ProjectLocation,
        *,
        environ: Mapping[str, str],
        timeout_s: float | None = None,
        settings: Settings | None = None,
    ) -> None:
        self._place = place
        self._environ = environ
        self._timeout_s = timeout_s
        self._settings = settings
        self._exits = ExitStack()
        self._before_close: list[Callable[[], None]] = []
        self._logs: tuple[TextIO, str] | None = None

    def with_settings(self, settings: Settings) -> Self:
        """Build the same parts with these settings instead of the files."""
        return type(self)(
            self._place, environ=self._environ, timeout_s=self._timeout_s, settings=settings
        )

    def or_defaults(self, project: str = "stack") -> Self:
        """Build the parts of a project whose settings do not exist yet, or cannot be read."""
        try:
            _ = self.settings
        except SettingsError:
            return self.with_settings(default_settings(self._request(), project))
        return self

    def close(self) -> None:
        # Before anything is closed: these calls need the store, whenever it was opened.
        while self._before_close:
            self._before_close.pop()()
        self._exits.close()

    def start_logs(self, stream: TextIO, *, verbose: int) -> None:
        """Log at the level of the flags; the settings apply as soon as they are read."""
        level = ("", "info", "debug")[min(verbose, 2)]
        logs.configure_logs(level or "warning", stream=stream)
        self._logs = (stream, level)

    def _apply_log_settings(self, loaded: LoadedSettings) -> None:
        if self._logs is not None:
            stream, level = self._logs
            wanted = loaded.resolved.settings.logs
            secrets = loaded.resolved.secrets()
            logs.configure_logs(
                level or wanted.level, stream=stream, file=wanted.file, secrets=secrets
            )

    @cached_property
    def clock(self) -> Clock:
        return SystemClock()

    @cached_property
    def files(self) -> Files:
        return LocalFiles()

    @cached_property
    def loaded(self) -> LoadedSettings:
        loaded = load_settings(self._request(), self._read, self._memory())
        self._apply_log_settings(loaded)
        return loaded

    def _memory(self) -> FileTextCache | None:
        home = self._environ.get("HOME", "")
        caches = self._environ.get("XDG_CACHE_HOME") or (f"{home}/.cache" if home else "")
        if not caches.startswith("/"):
            return None
        generation = code_generation(Path(settings_code.__path__[0]), __version__)
        return FileTextCache(Path(caches) / "opsctl", generation=generation)

    def _request(self) -> SettingsRequest:
        waits = {} if self._timeout_s is None else dict.fromkeys(_WAITS, self._timeout_s)
        config = Path(self._place.config) if self._place.config else None
        return SettingsRequest(self.directory, self._environ, config, self._place.env, waits)

    def _read(self, path: Path) -> str | None:
        try:
            # Compose reads a .env in any encoding; the settings in it are ASCII.
            return self.files.read_text(path, is_lenient=path.name == DOTENV.name)
        except MissingFileError:
            return None

    @cached_property
    def settings(self) -> Settings:
        return self._settings or self.loaded.resolved.settings

    @cached_property
    def directory(self) -> Path:
        return Path(self._place.directory).absolute()

    @cached_property
    def project_dir(self) -> Path:
        return self.directory if self._settings else self.loaded.project_dir

    @cached_property
    def state_directory(self) -> Path:
        project = self.settings.project.name
        named = state_directory(self.settings.state, project=project, environ=self._environ)
        return self.project_dir / named

    @cached_property
    def store(self) -> "Store":
        from opsctl.state import open_store
        from opsctl.systems.sqlite.database import SqliteDatabases

        databases = SqliteDatabases(self.files, self.clock)
        try:
            return self._exits.enter_context(open_store(self.state_directory, databases))
        except (BusyError, RefusedError):
            raise
        except OpsctlError as error:
            error.hint = f"{error.hint} {STATE_HINT}".strip()
            raise

    def open_store(self) -> None:
        _ = self.store

    @cached_property
    def actor(self) -> "Actor":
        from opsctl.state.model import Actor
        from opsctl.systems.user import login, machine

        user = login(self._environ)
        return Actor(user.name, machine(), os.getpid(), user.behind or None)

    @cached_property
    def locks(self) -> "Locks":
        from opsctl.state import Locks

        return Locks(self.state_directory, self.files, self.clock, self.actor)

    @cached_property
    def processes(self) -> "Processes":
        from opsctl.systems.process.run import LocalProcesses

        return LocalProcesses(self.clock, self._environ)

    @cached_property
    def host(self) -> "Host":
        from opsctl.systems.host import PsutilHost

        return PsutilHost(self._environ, deadline_s=self.settings.disk.timeout_s)

    @cached_property
    def git(self) -> "Git":
        from opsctl.systems.git.repository import GitCommand

        return GitCommand(self.processes)

    @cached_property
    def experiment(self) -> str | None:
        """Why this checkout is an experiment, or None."""
        from opsctl.settings.isolation import Checkout, ci_branches, find_experiment_reason

        rules = self.settings.experiment
        facts = self.git.facts(self._existing_dir, trunks=rules.trunks)
        checkout = facts.checkout if facts else Checkout()
        return find_experiment_reason(checkout, ci_branches(self._environ), rules)

    @cached_property
    def _existing_dir(self) -> Path:
        """The project directory, or its nearest existing parent: init may be about to create it."""
        path = self.project_dir
        while self.files.kind(path) is not PathKind.DIRECTORY and path != path.parent:
            path = path.parent
        return path

    def guard_production(self, verb: str) -> None:
        """Refuse a command that changes production on an experiment; call it first."""
        # Other environments are never refused, so git is not asked.
        if self.settings.env == "prod":
            from opsctl.settings.isolation import refuse_on_production

            refuse_on_production(self.experiment, env=self.settings.env, command=verb)
