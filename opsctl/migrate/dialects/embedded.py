"""What SQLite and DuckDB have in common: one file, and nobody else to wait for inside of it."""

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
    """Answers of a database without sessions, locks of tables, or invalid indexes."""

    table = "opsctl_migrations"
    takes_copy = False
    unhurried: tuple[str, ...] = ()
    row_query = ""
    shadow_hint = "It is built in a temporary directory: TMPDIR names one with room for it."
    name: str
    scripts: Scripts
    _connect: Connect

    def quote(self, text: str) -> str:
        escaped = text.replace("'", "''")
        return f"'{escaped}'"

    def limits(self, limits: TimeLimits, *, local: bool = True) -> Sequence[str]:  # noqa: ARG002 - the driver holds the limits
        return ()

    def rows(self, session: ScriptSession) -> Sequence[Row]:
        if not self.is_tracked(session):
            return []
        statement = f"SELECT version, name, checksum, finished FROM {self.table} ORDER BY version"  # noqa: S608 - our own name
        return session.query(statement)

    def seal(self, session: ScriptSession, statement: str) -> None:
        session.query(statement)

    @contextmanager
    def hold(self, session: ScriptSession, *, wait_s: float) -> Iterator[None]:  # noqa: ARG002 - the file is the lock
        yield

    def runner(self, session: ScriptSession) -> str:  # noqa: ARG002 - nobody to ask
        return "another process"

    @contextmanager
    def watch(self, session: ScriptSession) -> Iterator[BlockerWatch]:  # noqa: ARG002 - nobody to look for
        yield NoBlockerWatch()

    def touched(self, session: ScriptSession, work: PreparedFile) -> Sequence[TableLockEstimate]:  # noqa: ARG002 - the whole file is locked
        return ()

    def held(self, session: ScriptSession) -> Sequence[TableLockEstimate]:  # noqa: ARG002 - the whole file is locked
        return ()

    def left_by(self, session: ScriptSession, work: PreparedFile) -> tuple[str, ...]:  # noqa: ARG002 - they are atomic
        return ()

    def sweep(self, session: ScriptSession, left: str, *, limits: TimeLimits) -> None:  # noqa: B027 - nothing is ever left
        """Nothing is ever left."""

    @contextmanager
    def shadow(self) -> Iterator[Scripts]:
        try:
            directory = TemporaryDirectory(prefix="opsctl-shadow-")
        except OSError as error:
            what = "could not make an empty database to compare with"
            raise OpsctlError(what, why=str(error), hint=self.shadow_hint) from error
        with directory as path:
            yield self._connect(Path(path) / f"shadow.{self.name}")

    @abstractmethod
    def is_tracked(self, session: ScriptSession) -> bool: ...

    def _named(self, session: ScriptSession, statement: str) -> Sequence[SchemaObject]:
        return [SchemaObject(*map(str, row)) for row in session.query(statement)]
