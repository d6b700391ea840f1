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
class KillPlan:
    """Kill it after so many lines and this long; without `lines` let it end."""

    directory: str
    environ: dict[str, str]
    lines: int | None = None
    delay_s: float = 0.0


@dataclass(frozen=True, slots=True)
class RunResult:
    status: int
    lines_read: int


def run(plan: KillPlan) -> RunResult:
    reader, writer = os.pipe()
    process = os.fork()
    if process == 0:
        os._exit(run_program(plan, writer))
    os.close(writer)
    lines_read = count_lines(reader, sys.maxsize if plan.lines is None else plan.lines)
    if plan.lines is not None:
        time.sleep(plan.delay_s)  # noqa: TID251 - the point of time is the test
        os.kill(process, signal.SIGKILL)
        lines_read += count_lines(reader, sys.maxsize)
    os.close(reader)
    return RunResult(os.waitpid(process, 0)[1], lines_read)


def run_program(plan: KillPlan, writer: int) -> int:
    """Be the program: nothing may return into the parent's code."""
    # Whoever kills comes first: on a busy machine it would find the files applied.
    os.nice(10)
    os.dup2(writer, 1)
    os.chdir(plan.directory)
    os.environ.clear()
    os.environ.update(plan.environ)
    try:
        root.main(["migrate"])
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else 1


def count_lines(reader: int, lines: int) -> int:
    """Count lines until there are enough, or the writer is gone."""
    lines_read = 0
    while lines_read < lines:
        if not select.select([reader], [], [], 60)[0]:
            break
        piece = os.read(reader, 64 if lines != sys.maxsize else 65536)
        if not piece:
            break
        lines_read += piece.count(b"\n")
    return lines_read


if __name__ == "__main__":
    for order_line in sys.stdin:
        print(json.dumps(asdict(run(KillPlan(**json.loads(order_line))))), flush=True)  # noqa: T201 - its answer
