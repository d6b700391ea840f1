"""An ssh server on loopback, with keys of its own, and a client folder that knows it."""

import getpass
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.engines.addresses import LOOPBACK, free_port
from tests.engines.daemon import Daemon
from tests.engines.require import give_up
from tests.engines.server_folders import ServerFolders

_CONFIG = """
ListenAddress {host}:{port}
HostKey {home}/host_key
AuthorizedKeysFile {home}/client_key.pub
PidFile none
StrictModes no
UsePAM no
PermitRootLogin prohibit-password
AllowStreamLocalForwarding yes
"""
# The user's own configuration is not read, and the server is known beforehand.
_CLIENT = """
Host *
  IdentityFile {home}/client_key
  IdentitiesOnly yes
  UserKnownHostsFile {home}/known_hosts
  StrictHostKeyChecking yes
"""


@dataclass(frozen=True)
class SshServer:
    home: Path
    port: int
    daemon: Daemon

    @property
    def address(self) -> str:
        return f"ssh://{getpass.getuser()}@{LOOPBACK}:{self.port}"

    def client(self, folder: Path) -> Path:
        """Write an `ssh` that reads this server's keys; put the folder first in PATH."""
        folder.mkdir(exist_ok=True)
        program = folder / "ssh"
        real = shutil.which("ssh")
        program.write_text(f'#!/bin/sh\nexec {real} -F {self.home}/client.conf "$@"\n')
        program.chmod(0o755)
        return folder

    def answers(self) -> bool:
        with closing(socket.socket()) as probe:
            return probe.connect_ex((LOOPBACK, self.port)) == 0


@pytest.fixture(scope="session")
def ssh_server(root_machine: None, server_folders: ServerFolders) -> Iterator[SshServer]:
    """Start one for this worker; only root may let others in."""
    del root_machine
    program = shutil.which("sshd", path="/usr/sbin:/usr/bin:/sbin:/bin")
    if program is None or shutil.which("ssh") is None:
        give_up("root", "no sshd or no ssh in PATH; scripts/ci/testbed up")
    home, port = server_folders("ssh"), free_port()
    for name in ("host_key", "client_key"):
        argv = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(home / name)]
        subprocess.run(argv, check=True, timeout=60)
    host_key = (home / "host_key.pub").read_text()
    (home / "known_hosts").write_text(f"[{LOOPBACK}]:{port} {host_key}")
    (home / "client.conf").write_text(_CLIENT.format(home=home))
    (home / "sshd.conf").write_text(_CONFIG.format(host=LOOPBACK, port=port, home=home))
    Path("/run/sshd").mkdir(exist_ok=True)
    argv = [program, "-D", "-e", "-f", str(home / "sshd.conf")]
    kill = signal.SIGTERM
    daemon = Daemon(argv, log=home / "sshd.log", stop_by=kill, die_by=kill)
    server = SshServer(home, port, daemon)
    daemon.start(server.answers)
    yield server
    daemon.stop()
