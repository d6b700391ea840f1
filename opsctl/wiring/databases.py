"""The databases, and the migrations that change them."""

from contextlib import suppress
from functools import cached_property, partial
from typing import TYPE_CHECKING

from opsctl.errors import OpsctlError, SettingsError

if TYPE_CHECKING:
    from opsctl.migrate.context import MigrationContext
    from opsctl.migrate.dialect import Dialect
    from opsctl.migrate.run_model import MigrationFlags
    from opsctl.systems.files.read_folder import FolderReader
    from opsctl.systems.postgres.client import Postgres

from opsctl.wiring.project import ProjectWiring

# A schema is not secret: it is committed beside the files.
READABLE = 0o644


class DatabaseWiring(ProjectWiring):
    @cached_property
    def postgres(self) -> "Postgres":
        from opsctl.systems.postgres.client import PostgresLimits, PsycopgPostgres

        database = self.settings.database
        limits = PostgresLimits(database.connect_timeout_s, database.statement_timeout_s)
        from opsctl.settings.isolation import opens_read_only

        read_only = opens_read_only(self.experiment, env=self.settings.env)
        url = database.url.get_secret_value()
        return PsycopgPostgres(url, clock=self.clock, limits=limits, read_only=read_only)

    @cached_property
    def folder(self) -> "FolderReader":
        from opsctl.systems.files.read_folder import LocalFolderReader

        return LocalFolderReader()

    def migrations(self, flags: "MigrationFlags | None" = None) -> "MigrationContext":
        from opsctl.migrate.context import MigrationContext
        from opsctl.migrate.model import TimeLimits
        from opsctl.migrate.run_model import MigrationFlags, PrepareOptions, WaitLimits

        flags = flags or MigrationFlags()
        migrations = self.settings.migrations
        runner_timeout_s = (
            migrations.runner_timeout_s
            if flags.runner_timeout_s is None
            else flags.runner_timeout_s
        )
        dialect = self._dialect(runner_timeout_s=runner_timeout_s)
        return MigrationContext(
            self.project_dir / migrations.directory,
            self.folder,
            dialect,
            PrepareOptions(
                TimeLimits(migrations.lock_timeout_s, migrations.statement_timeout_s),
                dialect.read_script,
                dialect.why_not_in_transaction,
                allow_non_transactional=migrations.allow_non_transactional,
                accepts_copy_data=dialect.accepts_copy_data,
                variables=flags.variables,
            ),
            WaitLimits(runner_timeout_s, migrations.lock_retries),
            self.clock,
            lambda: self._head,
            schema_file=self.project_dir / migrations.schema_file
            if migrations.schema_file
            else None,
            write=partial(self.files.write_text, mode=READABLE),
        )

    def _dialect(self, *, runner_timeout_s: float) -> "Dialect":
        migrations = self.settings.migrations
        url = (
            migrations.url.get_secret_value() or self.settings.database.url.get_secret_value()
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
            from opsctl.systems.sqlite.scripts import SqliteScripts

            open_sqlite = partial(SqliteScripts, clock=self.clock, busy_s=runner_timeout_s)
            return SqliteDialect(self.project_dir / path, open_sqlite, who=self.actor.who)
        if kind == "duckdb":
            from opsctl.migrate.dialects.duckdb import DuckdbDialect
            from opsctl.systems.duckdb import DuckdbScripts

            open_duckdb = partial(DuckdbScripts, clock=self.clock, busy_s=runner_timeout_s)
            return DuckdbDialect(self.project_dir / path, open_duckdb, who=self.actor.who)
        from opsctl.migrate.dialects.postgres import PostgresDialect
        from opsctl.systems.postgres.scripts import LibpqScripts

        connect_s = self.settings.database.connect_timeout_s
        scripts = LibpqScripts(url, clock=self.clock, connect_s=connect_s)
        shadow_url = migrations.shadow_url.get_secret_value()
        shadow = LibpqScripts(shadow_url, clock=self.clock) if shadow_url else None
        return PostgresDialect(scripts, clock=self.clock, shadow=shadow)

    @cached_property
    def _head(self) -> str:
        """The commit that is checked out; empty where git or the repository is missing."""
        from opsctl.systems.git.head import read_head

        known = read_head(self.project_dir, self._environ)
        if known is None:
            with suppress(OpsctlError):
                known = self.git.head(self.project_dir)
        return known or ""
