"""A certificate for this machine, signed by nobody else."""

import shutil
import ssl
import subprocess
from pathlib import Path

import pytest

from tests.engines.require import give_up

_NAMES = "subjectAltName=IP:127.0.0.1,DNS:stack.test"
_COMMAND_S = 60


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a certificate for 127.0.0.1 and stack.test; who trusts it names this file."""
    if shutil.which("openssl") is None:
        give_up("root", "no openssl in PATH; scripts/ci/testbed up")
    made = tmp_path_factory.mktemp("tls") / "authority.crt"
    words = f"openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=stack -addext {_NAMES}"
    files = ["-keyout", str(made.with_suffix(".key")), "-out", str(made)]
    subprocess.run([*words.split(), *files], check=True, capture_output=True, timeout=_COMMAND_S)
    return made


@pytest.fixture
def served(authority: Path) -> ssl.SSLContext:
    """Give what a server needs to show that certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority, authority.with_suffix(".key"))
    return context
