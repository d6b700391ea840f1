"""Connects `up` with migrate: neither imports the other, so the command joins them."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from opsctl.errors import UnreachableError

if TYPE_CHECKING:
    from opsctl.cli.session import Session
    from opsctl.deploy.hooks import Migrator
    from opsctl.migrate.project import Project


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
    project: "Project"

    def pending(self) -> str | None:
        from opsctl.migrate.model import Order  # noqa: PLC0415 - only a deploy with a database pays
        from opsctl.migrate.project import draft  # noqa: PLC0415 - same

        try:
            with draft(self.project, Order()) as drafted:
                names = [work.file for work in drafted.works]
        except UnreachableError:
            # A first deploy: it starts the database as well.
            names = [migration.file for migration in self.project.library().migrations]
        return ", ".join(names) or None

    def apply(self) -> str:
        from opsctl.migrate.model import Order  # noqa: PLC0415 - only a deploy with a database pays
        from opsctl.migrate.project import draft  # noqa: PLC0415 - same

        try:
            with draft(self.project, Order()) as drafted:
                outcome = drafted.apply(lambda event: self.session.output.note(str(event)))
                self.project.write_schema(drafted.ledger, outcome)
                versions = [migration.version for migration in drafted.library.migrations]
        except UnreachableError as error:
            hint = (
                "Set migrations.url to an address that this machine can reach, or use --no-migrate."
            )
            raise UnreachableError(error.what, why=error.why, hint=hint) from error
        return str(max(versions, default=0))
