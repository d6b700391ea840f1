"""Other processes that use the same state, and a disk small enough to fill."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import pytest

from opsctl.systems.clock import SystemClock
from opsctl.systems.files.local import LocalFiles
from opsctl.systems.sqlite.database import SqliteDatabases
from tests.engines.require import give_up
from tests.integration.state.writers import WriteOrder, WriterEnd

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


class WriterPrograms:
    def __init__(self, programs: list[Program]) -> None:
        self._programs = programs

    def run(self, orders: list[WriteOrder]) -> list[WriterEnd]:
        """Run writers at once, one per program, until each has ended."""
        for program, order in zip(self._programs, orders, strict=True):
            program.send(json.dumps(asdict(order)))
        return [WriterEnd(**json.loads(program.receive())) for program in self._programs]


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
def writer_programs() -> Iterator[WriterPrograms]:
    with ExitStack() as stack:
        yield WriterPrograms([stack.enter_context(running("writers")) for _ in range(2)])


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


def command(*words: str) -> None:
    subprocess.run(words, check=True, timeout=20)


@contextmanager
def mounted(place: Path, *words: str) -> Iterator[Path]:
    place.mkdir()
    command("mount", *words, str(place))
    try:
        place.chmod(0o700)
        yield place
    finally:
        command("umount", str(place))


def require_root() -> None:
    if os.geteuid() != 0:
        give_up("root", "no disk can be mounted, no user changed")


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    require_root()
    with mounted(tmp_path / "disk", "-t", "tmpfs", "-o", "size=1m", "tmpfs") as place:
        yield place


@dataclass(frozen=True, slots=True)
class CuttableDisk:
    """A disk that shows what it would hold had the power gone this instant."""

    image: Path
    path: Path

    @contextmanager
    def after_power_cut(self) -> Iterator[Path]:
        copy = self.image.with_suffix(".cut")
        shutil.copyfile(self.image, copy)
        with mounted(self.image.with_suffix(".after"), "-o", "loop", str(copy)) as place:
            yield place


@pytest.fixture
def cuttable_disk(tmp_path: Path) -> Iterator[CuttableDisk]:
    require_root()
    image = tmp_path / "image"
    with image.open("wb") as file:
        file.truncate(16 << 20)
    command("mkfs.ext4", "-q", "-F", str(image))
    # The file system must not write by itself what nobody asked it to.
    with mounted(tmp_path / "disk", "-o", "loop,commit=900", str(image)) as place:
        yield CuttableDisk(image, place)
