"""Builds each part once, when it is first asked for, and closes them all."""

import os
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from opsctl import logs
from opsctl.errors import OpsctlError, SettingsError
from opsctl.settings import Loaded, Request, Settings, defaults, load
from opsctl.settings.experiment import LOWEST_EXPERIMENT_INDEX
from opsctl.settings.isolation import (
    Checkout,
    RedisIndexes,
    ci_branches,
    experiment_in,
    opens_read_only,
    redis_indexes,
    refuse_on_production,
)
from opsctl.settings.state import state_directory
from opsctl.systems.clock import Clock, SystemClock
from opsctl.systems.files import Files, LocalFiles, MissingFileError

if TYPE_CHECKING:
    from opsctl.migrate.dialect import Dialect
    from opsctl.migrate.project import Project
    from opsctl.migrate.work import Asked
    from opsctl.state.locks import Locks
    from opsctl.state.model import Actor
    from opsctl.state.store import Store
    from opsctl.systems.compose import Compose
    from opsctl.systems.containers import Containers
    from opsctl.systems.doors import Doors
    from opsctl.systems.git import Git
    from opsctl.systems.git_history import History
    from opsctl.systems.host import Host
    from opsctl.systems.http import Http
    from opsctl.systems.postgres import Postgres
    from opsctl.systems.process import Processes
    from opsctl.systems.redis import Redis
    from opsctl.systems.tree import Tree


@dataclass(frozen=True, slots=True)
class WorkPlace:
    """Where the command stands, and which environment was named."""

    directory: str = "."
    config: str | None = None
    env: str | None = None


# A schema is no secret: it is committed beside the files.
READABLE = 0o644

# What `--timeout` bounds: one wait for one system.
_WAITS = ("engine.timeout_s", "redis.timeout_s", "database.connect_timeout_s", "doctor.timeout_s")


class Wiring:
    """One run's parts. `settings` given in place of files serve where files cannot be read."""

    def __init__(
        self,
        place: WorkPlace,
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
        self._logs: tuple[TextIO, str] | None = None

    def with_settings(self, settings: Settings) -> "Wiring":
        """Make the same parts with these settings, whatever the files say."""
        return Wiring(
            self._place, environ=self._environ, timeout_s=self._timeout_s, settings=settings
        )

    def or_defaults(self, project: str = "stack") -> "Wiring":
        """Make the parts of a project whose settings do not exist yet, or cannot be read."""
        try:
            _ = self.settings
        except SettingsError:
            return self.with_settings(defaults(self._request(), project))
        return self

    def close(self) -> None:
        self._exits.close()

    def start_logs(self, stream: TextIO, *, verbose: int) -> None:
        """Log what the flags ask for; the settings' own level and secrets follow once read."""
        level = ("", "info", "debug")[min(verbose, 2)]
        logs.configure(level or "warning", stream=stream)
        self._logs = (stream, level)

    def _log_as_set(self, loaded: Loaded) -> None:
        if self._logs is not None:
            stream, level = self._logs
            wanted = loaded.resolved.settings.logs
            secrets = loaded.resolved.secrets()
            logs.configure(level or wanted.level, stream=stream, file=wanted.file, secrets=secrets)

    @cached_property
    def clock(self) -> Clock:
        return SystemClock()

    @cached_property
    def files(self) -> Files:
        return LocalFiles()

    @cached_property
    def loaded(self) -> Loaded:
        loaded = load(self._request(), self._read)
        self._log_as_set(loaded)
        return loaded

    def loaded_for(self, env: str) -> Loaded:
        """Read the settings as another environment would; nothing else goes on with them."""
        return load(replace(self._request(), env=env), self._read)

    def _request(self) -> Request:
        waits = {} if self._timeout_s is None else dict.fromkeys(_WAITS, self._timeout_s)
        config = Path(self._place.config) if self._place.config else None
        return Request(self.directory, self._environ, config, self._place.env, waits)

    def _read(self, path: Path) -> str | None:
        try:
            return self.files.read_text(path)
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
        settings = self.settings
        return state_directory(settings.state, project=settings.project.name, environ=self._environ)

    @cached_property
    def store(self) -> "Store":
        from opsctl.state import open_store
        from opsctl.systems.sqlite import SqliteDatabases

        databases = SqliteDatabases(self.files, self.clock)
        return self._exits.enter_context(open_store(self.state_directory, databases))

    def open_store(self) -> None:
        _ = self.store

    @cached_property
    def actor(self) -> "Actor":
        from opsctl.state.model import Actor

        user = self.host.user()
        return Actor(user.name, self.host.name(), os.getpid(), user.behind or None)

    @cached_property
    def locks(self) -> "Locks":
        from opsctl.state import Locks

        return Locks(self.state_directory, self.files, self.clock, self.actor)

    @cached_property
    def processes(self) -> "Processes":
        from opsctl.systems.process import LocalProcesses

        return LocalProcesses(self.clock, self._environ)

    @cached_property
    def host(self) -> "Host":
        from opsctl.systems.host import PsutilHost

        return PsutilHost(self._environ)

    @cached_property
    def git(self) -> "Git":
        from opsctl.systems.git import GitCommand

        return GitCommand(self.processes)

    @cached_property
    def experiment(self) -> str | None:
        """Why this checkout is an experiment, or None."""
        rules = self.settings.experiment
        facts = self.git.facts(self.directory, trunks=rules.trunks)
        checkout = facts.checkout if facts else Checkout()
        return experiment_in(checkout, ci_branches(self._environ), rules)

    def guard_production(self, verb: str) -> None:
        """Refuse a verb that changes production on an experiment; call it before anything else."""
        # Elsewhere nobody is refused, and git need not be asked.
        if self.settings.env == "prod":
            refuse_on_production(self.experiment, env=self.settings.env, verb=verb)

    @cached_property
    def containers(self) -> "Containers":
        from opsctl.systems.containers import DockerContainers, engine_address

        engine = self.settings.engine
        address = engine_address(engine.host, self._environ)
        containers = DockerContainers(address, deadline_s=engine.timeout_s)
        self._exits.callback(containers.close)
        return containers

    @cached_property
    def compose(self) -> "Compose":
        from opsctl.systems.compose import DockerCompose

        return DockerCompose(self.processes)

    @cached_property
    def postgres(self) -> "Postgres":
        from opsctl.systems.postgres import PostgresLimits, PsycopgPostgres

        database = self.settings.database
        limits = PostgresLimits(database.connect_timeout_s, database.statement_timeout_s)
        read_only = opens_read_only(self.experiment, env=self.settings.env)
        url = database.url.get_secret_value()
        return PsycopgPostgres(url, clock=self.clock, limits=limits, read_only=read_only)

    def migrations(self, asked: "Asked | None" = None) -> "Project":
        from opsctl.migrate.model import Limits
        from opsctl.migrate.project import Project
        from opsctl.migrate.work import Asked, Patience, Rules
        from opsctl.systems.folder import LocalFolder

        asked = asked or Asked()
        wanted = self.settings.migrations
        runner_s = wanted.runner_timeout_s if asked.runner_s is None else asked.runner_s
        dialect = self._dialect(runner_s=runner_s)
        return Project(
            self.project_dir / wanted.directory,
            LocalFolder(),
            dialect,
            Rules(
                Limits(wanted.lock_timeout_s, wanted.statement_timeout_s),
                dialect.read,
                dialect.why_alone,
                allow_alone=wanted.allow_non_transactional,
                takes_copy=dialect.takes_copy,
                values=asked.values,
            ),
            Patience(runner_s, wanted.lock_retries),
            self.clock,
            lambda: self._head,
            schema_file=self.project_dir / wanted.schema_file if wanted.schema_file else None,
            write=partial(self.files.write_text, mode=READABLE),
        )

    def _dialect(self, *, runner_s: float) -> "Dialect":
        wanted = self.settings.migrations
        url = (
            wanted.url.get_secret_value() or self.settings.database.url.get_secret_value()
        ).strip()
        kind, _, path = url.partition(":///")
        if not url:
            raise SettingsError(
                "no database is set to migrate",
                why="database.url and migrations.url are empty",
                hint="Set DATABASE_URL in .env, e.g. postgresql://user:password@host:5432/name",
            )
        if kind == "sqlite":
            from opsctl.migrate.dialects.sqlite import SqliteDialect
            from opsctl.systems.sqlite_script import SqliteScripts

            open_sqlite = partial(SqliteScripts, clock=self.clock, busy_s=runner_s)
            return SqliteDialect(self.project_dir / path, open_sqlite)
        if kind == "duckdb":
            from opsctl.migrate.dialects.duckdb import DuckdbDialect
            from opsctl.systems.duckdb_script import DuckdbScripts

            open_duckdb = partial(DuckdbScripts, clock=self.clock, busy_s=runner_s)
            return DuckdbDialect(self.project_dir / path, open_duckdb)
        from opsctl.migrate.dialects.postgres import PostgresDialect
        from opsctl.systems.postgres_script import LibpqScripts

        connect_s = self.settings.database.connect_timeout_s
        scripts = LibpqScripts(url, clock=self.clock, connect_s=connect_s)
        shadow_url = wanted.shadow_url.get_secret_value()
        shadow = LibpqScripts(shadow_url, clock=self.clock) if shadow_url else None
        return PostgresDialect(scripts, clock=self.clock, shadow=shadow)

    @cached_property
    def _head(self) -> str:
        """The commit that is checked out; empty where git or the repository is missing."""
        with suppress(OpsctlError):
            return self.git.head(self.project_dir) or ""
        return ""

    @cached_property
    def redis(self) -> "Redis":
        """The stack's index; an experiment cannot write to it."""
        return self._redis(self._redis_indexes.read)

    @cached_property
    def redis_results(self) -> "Redis":
        """The index that results go to: the stack's own, or the experiment's."""
        return self._redis(self._redis_indexes.write)

    @cached_property
    def _redis_indexes(self) -> RedisIndexes:
        rules = self.settings.experiment
        return redis_indexes(self.experiment, stack=self.settings.redis.db, rules=rules)

    def _redis(self, index: int) -> "Redis":
        from opsctl.systems.redis import RedisLimits, RedisPy, RedisTarget
        from opsctl.systems.redis_commands import access_for

        redis = self.settings.redis
        password = redis.password.get_secret_value()
        target = RedisTarget(redis.host, redis.port, index, password=password)
        lowest = LOWEST_EXPERIMENT_INDEX if self.experiment else None
        access = access_for(index, minimum_write_index=lowest)
        limits = RedisLimits(redis.timeout_s)
        client = RedisPy(target, purpose="opsctl", clock=self.clock, limits=limits, access=access)
        self._exits.callback(client.close)
        return client

    @cached_property
    def http(self) -> "Http":
        from opsctl.systems.http import HttpxHttp

        return HttpxHttp(clock=self.clock)

    @cached_property
    def tree(self) -> "Tree":
        from opsctl.systems.tree import LocalTree

        return LocalTree()

    @cached_property
    def history(self) -> "History":
        from opsctl.systems.git_history import GitHistory

        return GitHistory(self.processes)

    @cached_property
    def doors(self) -> "Doors":
        from opsctl.systems.doors import SocketDoors

        return SocketDoors(self.clock)
