"""The store of one machine: open it, upgrade its schema, and give access to its records."""

from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Self

from opsctl.errors import RefusedError
from opsctl.state.alerts import Alerts
from opsctl.state.audit import Audit
from opsctl.state.clock_marks import ClockMarks
from opsctl.state.deliveries import Deliveries
from opsctl.state.jobs import Jobs
from opsctl.state.releases import Releases
from opsctl.state.removals import Removals
from opsctl.state.samples import Samples
from opsctl.state.watchdog import Watchdog

if TYPE_CHECKING:
    from opsctl.systems.sqlite.database import Database, Databases

FILE_NAME = "state.db"
SCHEMA = Path(__file__).parent / "schema"


class Store:
    """One per process; threads may share it (see Database)."""

    def __init__(self, database: "Database") -> None:
        self._database = database
        self.releases = Releases(database)
        self.audit = Audit(database)
        self.jobs = Jobs(database)
        self.alerts = Alerts(database)
        self.samples = Samples(database)
        self.watchdog = Watchdog(database)
        self.deliveries = Deliveries(database)
        self.removals = Removals(database)
        self.clock_marks = ClockMarks(database)

    def transaction(self) -> AbstractContextManager[None]:
        """Write several records together: all of them or none."""
        return self._database.transaction()

    def close(self) -> None:
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_store(directory: Path, databases: "Databases", *, schema: Path = SCHEMA) -> Store:
    """Open the store in this directory; create or upgrade it if needed."""
    path = directory / FILE_NAME
    database = databases.open(path)
    try:
        _upgrade(database, path, schema)
    except BaseException:
        database.close()
        raise
    return Store(database)


def _upgrade(database: "Database", path: Path, schema: Path) -> None:
    scripts = sorted(schema.glob("[0-9][0-9][0-9]_*.sql"))
    version = _version(database)
    while version < len(scripts):
        with database.transaction():
            # Read again under the lock: another process may just have upgraded it.
            version = _version(database)
            if version < len(scripts):
                database.run_script(scripts[version].read_text("utf-8"))
                version += 1
                database.execute(f"PRAGMA user_version = {version}")
    if version > len(scripts):
        raise RefusedError(
            f"cannot open {path}",
            why=f"a newer opsctl wrote it (its schema is {version}, this one knows {len(scripts)})",
            hint="Upgrade opsctl here, or point it at another state directory.",
        )


def _version(database: "Database") -> int:
    (row,) = database.query("PRAGMA user_version")
    version: int = row["user_version"]
    return version
