"""Connects `up` with migrate: neither imports the other, so the command joins them."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from opsctl.errors import UnreachableError

if TYPE_CHECKING:
    from opsctl.cli.session import Session
    from opsctl.deploy.integrations import Migrator
    from opsctl.migrate.context import MigrationContext


def find_migrator(session: "Session") -> "Migrator | None":
    """Return None when the settings name no database, or there are no migration files."""
    settings = session.wiring.settings
    url = settings.migrations.url.get_secret_value() or settings.database.url.get_secret_value()
    files = session.wiring.project_dir / settings.migrations.directory
    if not url or not files.is_dir():
        return None
    return _ProjectMigrator(session, session.wiring.migrations())


@dataclass(frozen=True, slots=True)
class _ProjectMigrator:
    session: "Session"
    context: "MigrationContext"

    def pending(self) -> str | None:
        from opsctl.migrate.model import ApplyOptions  # noqa: PLC0415 - only with a database
        from opsctl.migrate.pending import open_pending_run  # noqa: PLC0415 - same

        try:
            with open_pending_run(self.context, ApplyOptions()) as pending_run:
                names = [prepared.file for prepared in pending_run.files]
        except UnreachableError:
            # A first deploy: the database starts with it.
            names = [migration.file for migration in self.context.read_migration_files().migrations]
        return ", ".join(names) or None

    def apply(self) -> str:
        from opsctl.migrate.model import ApplyOptions  # noqa: PLC0415 - only with a database
        from opsctl.migrate.pending import open_pending_run  # noqa: PLC0415 - same

        try:
            with open_pending_run(self.context, ApplyOptions()) as pending_run:
                outcome = pending_run.apply(lambda event: self.session.output.note(str(event)))
                self.context.write_schema(pending_run.tracking, outcome)
                versions = [
                    migration.version for migration in pending_run.migration_files.migrations
                ]
        except UnreachableError as error:
            hint = (
                "Set migrations.url to an address that this machine can reach, or use --no-migrate."
            )
            raise UnreachableError(error.what, why=error.why, hint=hint) from error
        return str(max(versions, default=0))
