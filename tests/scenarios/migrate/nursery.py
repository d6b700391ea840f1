"""Forks `opsctl migrate` as told on stdin, its imports done, and kills it where it is told to."""

import importlib
import json
import os
import select
import signal
import sys
import time
from dataclasses import asdict, dataclass

from opsctl.cli.root import root

# What a run would import by itself: a hundred runs need not pay for it.
for _name in (
    "opsctl.cli.commands.migrate.group",
    "opsctl.wiring",
    "opsctl.migrate.apply",
    "opsctl.migrate.prepare",
    "opsctl.migrate.dialects.postgres_blockers",
    "opsctl.systems.postgres.scripts",
    "opsctl.systems.git.repository",
    "opsctl.systems.host",
    "opsctl.state",
):
    importlib.import_module(_name)


@dataclass(frozen=True, slots=True)
class Order:
    """Kill it after so many lines and this long; without `lines` let it end."""

    directory: str
    environ: dict[str, str]
    lines: int | None = None
    delay_s: float = 0.0


@dataclass(frozen=True, slots=True)
class End:
    status: int
    heard: int


def run(options: Order) -> End:
    reader, writer = os.pipe()
    process = os.fork()
    if process == 0:
        os._exit(become(options, writer))
    os.close(writer)
    heard = listen(reader, sys.maxsize if options.lines is None else options.lines)
    if options.lines is not None:
        time.sleep(options.delay_s)  # noqa: TID251 - the point of time is the test
        os.kill(process, signal.SIGKILL)
        heard += listen(reader, sys.maxsize)
    os.close(reader)
    return End(os.waitpid(process, 0)[1], heard)


def become(options: Order, writer: int) -> int:
    """Be the program: nothing may return into the parent's code."""
    os.dup2(writer, 1)
    os.chdir(options.directory)
    os.environ.clear()
    os.environ.update(options.environ)
    try:
        root.main(["migrate"])
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else 1


def listen(reader: int, lines: int) -> int:
    """Count lines until there are enough, or the writer is gone."""
    heard = 0
    while heard < lines:
        if not select.select([reader], [], [], 60)[0]:
            break
        piece = os.read(reader, 64 if lines != sys.maxsize else 65536)
        if not piece:
            break
        heard += piece.count(b"\n")
    return heard


if __name__ == "__main__":
    for order_line in sys.stdin:
        print(json.dumps(asdict(run(Order(**json.loads(order_line))))), flush=True)  # noqa: T201 - its answer
