"""Other processes that use the same state, and a disk small enough to fill."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from pathlib import Path

import pytest
from opsctl.systems.clock import SystemClock
from opsctl.systems.files import LocalFiles
from opsctl.systems.sqlite import SqliteDatabases
from tests.integration.state.nursery import End, Order

ROOT = Path(__file__).parents[3]


class Program:
    """One of this directory's programs: a line in, a line out."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process

    def send(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def receive(self) -> str:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, "the program ended without an answer"
        return line.strip()

    def ask(self, line: str) -> str:
        self.send(line)
        return self.receive()


class Nurseries:
    def __init__(self, programs: list[Program]) -> None:
        self._programs = programs

    def run(self, orders: list[Order]) -> list[End]:
        """Let writers run at once, one a nursery, until each has met its end."""
        for program, order in zip(self._programs, orders, strict=True):
            program.send(json.dumps(asdict(order)))
        return [End(**json.loads(program.receive())) for program in self._programs]


@contextmanager
def running(module: str, *arguments: str) -> Iterator[Program]:
    process = subprocess.Popen(
        [sys.executable, "-m", f"tests.integration.state.{module}", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
        text=True,
    )
    try:
        yield Program(process)
    finally:
        process.kill()
        process.communicate()


@pytest.fixture(scope="module")
def nurseries() -> Iterator[Nurseries]:
    with ExitStack() as stack:
        yield Nurseries([stack.enter_context(running("nursery")) for _ in range(2)])


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "state"


@pytest.fixture
def holders(directory: Path) -> Iterator[list[Program]]:
    with ExitStack() as stack:
        yield [stack.enter_context(running("holder", str(directory))) for _ in range(3)]


@pytest.fixture
def databases() -> SqliteDatabases:
    return SqliteDatabases(LocalFiles(), SystemClock())


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    if os.geteuid() != 0:
        required = "root" in os.environ.get("OPSCTL_REQUIRE", "").replace(",", " ").split()
        (pytest.fail if required else pytest.skip)("root is missing: a disk cannot be mounted")
    mount = tmp_path / "disk"
    mount.mkdir()
    options = ["-t", "tmpfs", "-o", "size=1m,mode=0700", "tmpfs", str(mount)]
    subprocess.run(["mount", *options], check=True, timeout=10)
    yield mount
    subprocess.run(["umount", str(mount)], check=True, timeout=10)
