"""A project, a database, and the programs that apply the one to the other."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import psutil

from tests.engines.databases import Database

OPSCTL = (str(Path(sys.executable).with_name("opsctl")), "migrate")
SCRIPT = (str(Path(__file__).parents[1] / "scripts" / "db" / "migrate.sh"),)
PROGRAMS = {"opsctl": OPSCTL, "migrate.sh": SCRIPT}


@dataclass(frozen=True, slots=True)
class Site:
    """A project, a database, and a program that applies the one to the other."""

    home: Path
    database: Database
    program: str

    def by(self, program: str) -> "Site":
        return replace(self, program=program)

    def write(self, **texts: str | bytes) -> None:
        """Write files; the first letter of a name gives way to its number."""
        for name, text in texts.items():
            content = text.encode() if isinstance(text, str) else text
            (self.home / "migrations" / f"{name[1:]}.sql").write_bytes(content)

    def remove(self, name: str) -> None:
        (self.home / "migrations" / f"{name}.sql").unlink()

    def start(self, *words: str, **environ: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*PROGRAMS[self.program], *words],
            cwd=self.home,
            env={**self._environ(), **environ},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(self, *words: str, **environ: str) -> tuple[int, str]:
        process = self.start(*words, **environ)
        out, _ = process.communicate(timeout=100)
        return process.returncode, out

    def rows(self) -> list[tuple[object, ...]]:
        with self.database.connect() as connection:
            if connection.execute("SELECT to_regclass('opsctl.opsctl_migrations')").fetchone() == (
                None,
            ):
                return []
            return connection.execute(
                "SELECT version, name, checksum, finished FROM opsctl.opsctl_migrations ORDER BY 1"
            ).fetchall()

    def versions(self) -> list[object]:
        return [row[0] for row in self.rows()]

    def tables(self) -> list[str]:
        with self.database.connect() as connection:
            found = connection.execute(
                "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"
            )
            return [name for (name,) in found]

    def tables_and_rows(self) -> tuple[set[str], set[str]]:
        """Name the tables, and the versions as tables, of one moment."""
        with self.database.connect() as connection, connection.transaction():
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            found = connection.execute(
                "SELECT array(SELECT tablename::text FROM pg_tables WHERE schemaname = 'public'),"
                " array(SELECT 't' || version FROM opsctl.opsctl_migrations)"
            ).fetchone()
        assert found is not None
        tables, rows = found
        return set(tables), set(rows)

    def _environ(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
        return {**kept, "HOME": str(self.home), "DATABASE_URL": self.database.url}


def sleeping(database: Database) -> bool:
    with database.connect() as connection:
        found = connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE state = 'active'"
            " AND pid <> pg_backend_pid() AND query LIKE '%pg_sleep%'"
        ).fetchone()
    return found != (0,)


def is_alone(database: Database) -> bool:
    """Say whether nobody else is there: a server goes on a moment after its client."""
    with database.connect() as connection:
        found = connection.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE pid <> pg_backend_pid() AND datname = current_database()"
        ).fetchone()
    return found == (0,)


def family_of(process: subprocess.Popen[str]) -> list[psutil.Process]:
    leader = psutil.Process(process.pid)
    return [leader, *leader.children(recursive=True)]


def end_family(process: subprocess.Popen[str]) -> None:
    """Kill a program as a power cut would: its children cannot finish what they do."""
    family = family_of(process)
    # The whole group at once: a child that is being born meanwhile is in it.
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    for member in family:
        with suppress(psutil.NoSuchProcess):
            member.kill()
    process.communicate(timeout=60)


@contextmanager
def running(process: subprocess.Popen[str]) -> Iterator[None]:
    try:
        yield
    finally:
        end_family(process)
