"""Forks writers of a store, and kills them, by orders on stdin; prints what they acknowledged."""

import json
import os
import select
import signal
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from itertools import count
from pathlib import Path

from opsctl.state import open_store
from opsctl.state.model import Release, ReleaseStep
from opsctl.systems.clock import SystemClock
from opsctl.systems.files.local import LocalFiles
from opsctl.systems.sqlite.database import SqliteDatabases

CLOCK = SystemClock()
DEADLINE_S = 30.0


@dataclass(frozen=True, slots=True)
class WriteOrder:
    """Write under this name; after so many acknowledgements and this long, be killed."""

    directory: str
    name: str
    acknowledgements: int = 0
    delay_s: float = 0.0
    # Where this is given, stop by yourself after so many.
    writes: int | None = None


@dataclass(frozen=True, slots=True)
class WriterEnd:
    status: int
    acknowledged: list[str]


def write(order: WriteOrder, pipe: int) -> None:
    store = open_store(Path(order.directory), SqliteDatabases(LocalFiles(), CLOCK))
    for number in count() if order.writes is None else range(order.writes):
        name, now = f"{order.name}-{number}", CLOCK.now()
        with store.transaction():
            store.releases.begin(Release(name, "prod", now, "abc", "Subject", "op@box"))
            store.releases.record_step(ReleaseStep(name, now, "web", "started"))
        os.write(pipe, f"{name}\n".encode())
    store.close()


def run(order: WriteOrder) -> WriterEnd:
    with forked(order) as (process, pipe):
        received = receive_lines(pipe, order.acknowledgements, DEADLINE_S)
        if order.writes is None:
            received += receive_lines(pipe, sys.maxsize, order.delay_s)
            os.kill(process, signal.SIGKILL)
        received += receive_lines(pipe, sys.maxsize, DEADLINE_S)
        _, status = os.waitpid(process, 0)
    return WriterEnd(status, received.decode().split())


@contextmanager
def forked(order: WriteOrder) -> Iterator[tuple[int, int]]:
    reader, writer = os.pipe()
    process = os.fork()
    if process == 0:
        os._exit(write_in_child(order, writer))
    os.close(writer)
    yield process, reader
    os.close(reader)


def write_in_child(order: WriteOrder, pipe: int) -> int:
    try:
        write(order, pipe)
    except BaseException:  # noqa: BLE001 - a forked child must never return into its parent's code
        traceback.print_exc()
        return 1
    return 0


def receive_lines(pipe: int, lines: int, timeout_s: float) -> bytes:
    """Receive so many lines, or all that arrive until the time is over or the writer is gone."""
    received, end = b"", time.monotonic() + timeout_s
    while received.count(b"\n") < lines:
        left = end - time.monotonic()
        if left <= 0 or not select.select([pipe], [], [], left)[0]:
            break
        piece = os.read(pipe, 65536)
        if not piece:
            break
        received += piece
    return received


if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps(asdict(run(WriteOrder(**json.loads(line))))), flush=True)  # noqa: T201 - its answer
