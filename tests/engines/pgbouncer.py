"""A real PgBouncer in transaction mode, in front of the worker's PostgreSQL."""

import os
import shutil
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.engines.addresses import LOOPBACK, free_port
from tests.engines.daemon import Daemon
from tests.engines.databases import Database
from tests.engines.postgres import PostgresServer, as_owner
from tests.engines.require import give_up
from tests.engines.server_folders import ServerFolders

# So few servers for each database that clients meet each other's leavings.
_POOL_SIZE = 2


class PgBouncer:
    def __init__(self, program: Path, home: Path, behind: Database) -> None:
        self.home = home
        self.port = free_port()
        self._behind = behind
        self._daemon = Daemon(
            [str(program), str(self._configured())],
            become=as_owner(),
            log=home / "pgbouncer.log",
            stop_by=signal.SIGTERM,
            die_by=signal.SIGKILL,
        )

    def in_front_of(self, database: Database) -> Database:
        return replace(database, host=LOOPBACK, port=self.port, socket_dir=None)

    def start(self) -> None:
        self._daemon.start(self.in_front_of(self._behind).answers)

    def stop(self) -> None:
        self._daemon.stop()

    def _configured(self) -> Path:
        users = self.home / "users.txt"
        users.write_text(f'"{self._behind.user}" "{self._behind.password}"\n')
        config = self.home / "pgbouncer.ini"
        config.write_text("\n".join([*self._settings(users), ""]))
        if os.geteuid() == 0:
            shutil.chown(self.home, self._behind.user, self._behind.user)
        return config

    def _settings(self, users: Path) -> list[str]:
        return [
            "[databases]",
            f"* = host={self._behind.host} port={self._behind.port}",
            "[pgbouncer]",
            f"listen_addr = {LOOPBACK}",
            f"listen_port = {self.port}",
            "unix_socket_dir =",
            "auth_type = scram-sha-256",
            f"auth_file = {users}",
            "pool_mode = transaction",
            f"default_pool_size = {_POOL_SIZE}",
        ]


@pytest.fixture(scope="session")
def pgbouncer_program() -> Path:
    # Debian keeps it where only root looks.
    found = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
    if found is None:
        give_up("pgbouncer", "no pgbouncer in PATH; scripts/ci/testbed up")
    return Path(found)


@pytest.fixture(scope="session")
def pgbouncer_server(
    pgbouncer_program: Path, postgres_server: PostgresServer, server_folders: ServerFolders
) -> Iterator[PgBouncer]:
    server = PgBouncer(pgbouncer_program, server_folders("pgbouncer"), postgres_server.admin)
    try:
        server.start()
        yield server
    finally:
        server.stop()


@pytest.fixture
def pgbouncer(pgbouncer_server: PgBouncer, postgres: Database) -> Database:
    """The test's own database, by way of the pooler."""
    return pgbouncer_server.in_front_of(postgres)


@pytest.fixture(params=["postgres", "timescale"])
def any_postgres(request: pytest.FixtureRequest) -> Database:
    """A fresh database on each version there is: the machine's own, and the container's."""
    database: Database = request.getfixturevalue(request.param)
    return database
