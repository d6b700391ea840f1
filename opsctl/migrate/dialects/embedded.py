"""What SQLite and DuckDB have in common: one file, and nobody else to wait for inside of it."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from opsctl.migrate.dialect import Named, Touched, Unwatched, Watch
from opsctl.migrate.model import Limits
from opsctl.migrate.work import Work
from opsctl.systems.script import Scripts, ScriptSession

Connect = Callable[[Path], Scripts]


class Embedded:
    """Answers of a database without sessions, locks of tables, or invalid indexes."""

    table = "opsctl_migrations"
    takes_copy = False
    scripts: Scripts

    def quote(self, text: str) -> str:
        escaped = text.replace("'", "''")
        return f"'{escaped}'"

    def limits(self, limits: Limits, *, local: bool = True) -> Sequence[str]:  # noqa: ARG002 - the driver holds the limits
        return ()

    @contextmanager
    def hold(self, session: ScriptSession, *, wait_s: float) -> Iterator[None]:  # noqa: ARG002 - the file is the lock
        yield

    def runner(self, session: ScriptSession) -> str:  # noqa: ARG002 - nobody to ask
        return "another process"

    @contextmanager
    def watch(self, session: ScriptSession) -> Iterator[Watch]:  # noqa: ARG002 - nobody to look for
        yield Unwatched()

    def touched(self, session: ScriptSession, work: Work) -> Sequence[Touched]:  # noqa: ARG002 - the whole file is locked
        return ()

    def held(self, session: ScriptSession) -> Sequence[Touched]:  # noqa: ARG002 - the whole file is locked
        return ()

    def left_by(self, session: ScriptSession, work: Work) -> str:  # noqa: ARG002 - they are atomic
        return ""

    def sweep(self, session: ScriptSession, left: str) -> None:
        """Nothing is ever left."""

    def _named(self, session: ScriptSession, statement: str) -> Sequence[Named]:
        return [Named(*map(str, row)) for row in session.query(statement)]
