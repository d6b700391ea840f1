"""A real Redis for each test worker, and an emptied database of it for each test."""

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator, Sequence
from itertools import cycle
from pathlib import Path
from typing import Protocol
from urllib.parse import quote

import pytest

from tests.engines.addresses import LOOPBACK, Address, free_port
from tests.engines.daemon import Daemon
from tests.engines.network import Machine
from tests.engines.require import give_up
from tests.engines.server_folders import ServerFolders

PROGRAM_VARIABLE = "OPSCTL_TEST_REDIS_SERVER"
# 0 is left out: code that forgets the database in its URL shows up in the wrong one.
_INDEXES = cycle(range(1, 16))


class RedisServer:
    def __init__(
        self,
        program: Path,
        home: Path,
        *,
        password: str = "",
        config: Sequence[str] = (),
        on: Machine | None = None,
    ) -> None:
        self.address = Address(on.address if on else LOOPBACK, free_port())
        self._within = on.within if on else ()
        self.password = password
        self.home = home
        config_file = home / "redis.conf"
        config_file.write_text("\n".join([*self._settings(), *config, ""]))
        self._daemon = Daemon(
            [str(program), str(config_file)],
            log=home / "redis.log",
            stop_by=signal.SIGKILL,
            die_by=signal.SIGKILL,
            become=self._within,
        )

    @property
    def pid(self) -> int:
        return self._daemon.pid

    def url(self, index: int = 0) -> str:
        login = f":{quote(self.password, safe='')}@" if self.password else ""
        return f"redis://{login}{self.address.host}:{self.address.port}/{index}"

    def cli(self, *command: str) -> str:
        """Ask by redis-cli: the driver under test stays out of it."""
        client = ["redis-cli", "-h", self.address.host, "-p", str(self.address.port)]
        run = subprocess.run(
            [*self._within, *client, *command],
            env={**os.environ, "REDISCLI_AUTH": self.password},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        return run.stdout.strip()

    def start(self) -> None:
        self._daemon.start(lambda: self.cli("PING") == "PONG")

    def stop(self) -> None:
        self._daemon.stop()

    def kill(self) -> None:
        self._daemon.kill()

    def freeze(self) -> None:
        self._daemon.freeze()

    def thaw(self) -> None:
        self._daemon.thaw()

    def _settings(self) -> list[str]:
        password = [f'requirepass "{self.password}"'] if self.password else []
        return [
            f"bind {self.address.host}",
            "protected-mode no",
            f"port {self.address.port}",
            f"dir {self.home}",
            'save ""',
            "appendonly no",
            *password,
        ]


class OwnRedis(Protocol):
    def __call__(
        self, *, password: str = "", config: Sequence[str] = (), on: Machine | None = None
    ) -> RedisServer: ...


@pytest.fixture(scope="session")
def redis_program() -> Path:
    """Find the server; the variable overrides, and `none` says that there is not to be one."""
    found = os.environ.get(PROGRAM_VARIABLE) or shutil.which("redis-server")
    if found is None or found == "none" or shutil.which("redis-cli") is None:
        give_up("redis", "no redis-server or redis-cli in PATH; scripts/ci/testbed up")
    return Path(found)


@pytest.fixture(scope="session")
def redis_server(redis_program: Path, server_folders: ServerFolders) -> Iterator[RedisServer]:
    server = RedisServer(redis_program, server_folders("redis"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def redis_url(redis_server: RedisServer) -> Iterator[str]:
    """An emptied database of the worker's server; do not change that server's settings."""
    redis_server.cli("FLUSHALL")
    redis_server.cli("SCRIPT", "FLUSH")
    yield redis_server.url(next(_INDEXES))
    redis_server.cli("FLUSHALL")


@pytest.fixture
def own_redis(redis_program: Path, server_folders: ServerFolders) -> Iterator[OwnRedis]:
    """Start servers for this test alone, to be configured, frozen and killed."""
    started: list[RedisServer] = []

    def start(
        *, password: str = "", config: Sequence[str] = (), on: Machine | None = None
    ) -> RedisServer:
        home = server_folders("redis")
        server = RedisServer(redis_program, home, password=password, config=config, on=on)
        started.append(server)
        server.start()
        return server

    yield start
    for server in started:
        server.stop()
