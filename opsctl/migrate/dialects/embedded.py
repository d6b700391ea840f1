"""What SQLite and DuckDB have in common: one file, locked as a whole."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from opsctl.errors import OpsctlError
from opsctl.migrate.dialect import BlockerWatch, NoBlockerWatch, SchemaObject, TableLockEstimate
from opsctl.migrate.model import TimeLimits
from opsctl.migrate.run_model import PreparedFile
from opsctl.systems.sql_scripts import Row, Scripts, ScriptSession

Connect = Callable[[Path], Scripts]


class EmbeddedDialect(ABC):
    """A database without sessions, table locks or invalid indexes."""

    table = "opsctl_migrations"
    accepts_copy_data = False
    async_commit: tuple[str, ...] = ()
    row_query = ""
    shadow_hint = "It is created in a temporary directory: set TMPDIR to one with free space."
    name: str
    scripts: Scripts
    _connect: Connect

    def quote_literal(self, text: str) -> str:
        escaped = text.replace("'", "''")
        return f"'{escaped}'"

    def limit_statements(self, limits: TimeLimits, *, local: bool = True) -> Sequence[str]:  # noqa: ARG002 - the driver holds the limits
        return ()

    def read_rows(self, session: ScriptSession) -> Sequence[Row]:
        if not self.has_tracking_table(session):
            return []
        statement = f"SELECT version, name, checksum, finished FROM {self.table} ORDER BY version"  # noqa: S608 - our own name
        return session.query(statement)

    def execute_durably(self, session: ScriptSession, statement: str) -> None:
        session.query(statement)

    @contextmanager
    def hold_runner_lock(self, session: ScriptSession, *, wait_s: float) -> Iterator[None]:  # noqa: ARG002 - the file is the lock
        yield

    def describe_runner(self, session: ScriptSession) -> str:  # noqa: ARG002 - nobody to ask
        return "another process"

    @contextmanager
    def watch_blockers(self, session: ScriptSession) -> Iterator[BlockerWatch]:  # noqa: ARG002 - nobody to look for
        yield NoBlockerWatch()

    def estimate_locks(
        self,
        session: ScriptSession,  # noqa: ARG002 - the whole file is locked
        prepared: PreparedFile,  # noqa: ARG002 - same
    ) -> Sequence[TableLockEstimate]:
        return ()

    def list_held_locks(self, session: ScriptSession) -> Sequence[TableLockEstimate]:  # noqa: ARG002 - the whole file is locked
        return ()

    def find_invalid_indexes(
        self,
        session: ScriptSession,  # noqa: ARG002 - index builds are atomic
        prepared: PreparedFile,  # noqa: ARG002 - same
    ) -> tuple[str, ...]:
        return ()

    def drop_invalid_index(self, session: ScriptSession, left: str, *, limits: TimeLimits) -> None:  # noqa: B027 - nothing is ever left
        """Do nothing: no invalid index is ever left."""

    @contextmanager
    def shadow_database(self) -> Iterator[Scripts]:
        try:
            directory = TemporaryDirectory(prefix="opsctl-shadow-")
        except OSError as error:
            what = "cannot create a shadow database"
            raise OpsctlError(what, why=str(error), hint=self.shadow_hint) from error
        with directory as path:
            yield self._connect(Path(path) / f"shadow.{self.name}")

    @abstractmethod
    def has_tracking_table(self, session: ScriptSession) -> bool: ...

    def _named(self, session: ScriptSession, statement: str) -> Sequence[SchemaObject]:
        return [SchemaObject(*map(str, row)) for row in session.query(statement)]
