"""TLS: an authority is trusted when it is named, and not otherwise."""

import asyncio
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from opsctl.errors import UnreachableError
from opsctl.kit import AsyncRedisClient, RedisClient
from opsctl.systems.redis.client import RedisTarget
from tests.engines.addresses import free_port
from tests.engines.redis import OwnRedis

SendCommands = Callable[[RedisTarget], bytes]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which("openssl") is None:
        pytest.skip("openssl: not in PATH")
    made = tmp_path_factory.mktemp("tls") / "server.crt"
    names = "subjectAltName=IP:127.0.0.1"
    words = f"openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=redis -addext {names}"
    files = ["-keyout", str(made.with_suffix(".key")), "-out", str(made)]
    subprocess.run([*words.split(), *files], check=True, capture_output=True, timeout=60)
    return made


@pytest.fixture
def target(own_redis: OwnRedis, certificate: Path) -> RedisTarget:
    port = free_port()
    key = certificate.with_suffix(".key")
    own_redis(
        config=[
            f"tls-port {port}",
            f"tls-cert-file {certificate}",
            f"tls-key-file {key}",
            "tls-auth-clients no",
        ]
    )
    return RedisTarget("127.0.0.1", port, tls=True, ca_file=str(certificate))


def ask(target: RedisTarget) -> bytes:
    with RedisClient(target) as client:
        said: bytes = client.call("PING")
        return said


def ask_awaited(target: RedisTarget) -> bytes:
    async def run() -> bytes:
        async with AsyncRedisClient(target) as client:
            said: bytes = await client.call("PING")
            return said

    return asyncio.run(run())


@pytest.mark.parametrize("ask", [ask, ask_awaited])
def test_a_named_authority_is_trusted(target: RedisTarget, ask: SendCommands) -> None:
    assert ask(target) == b"PONG"


@pytest.mark.parametrize("ask", [ask, ask_awaited])
def test_an_unknown_one_is_not(target: RedisTarget, ask: SendCommands) -> None:
    unknown = RedisTarget(target.host, target.port, tls=True)

    with pytest.raises(UnreachableError, match="no answer"):
        ask(unknown)
