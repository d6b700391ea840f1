"""`opsctl test`."""

import os
import sys
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import click

from opsctl.cli.click_classes import OpsctlCommand
from opsctl.cli.session import Session, pass_session
from opsctl.errors import EXIT_OK
from opsctl.progress import NoProgress, Progress
from opsctl.sandbox.model import RunSecrets
from opsctl.sandbox.prepare import SandboxContext, SandboxOptions, prepare
from opsctl.sandbox.remove_leftovers import remove_leftovers
from opsctl.sandbox.report import lines, report
from opsctl.sandbox.run import RunParts, run
from opsctl.sandbox.services import SERVICES
from opsctl.systems.engine.capped_container import OutputPiece, OutputStream
from opsctl.systems.process.output import Line

FORMATS = ("text", "json", "github", "junit")


class VerbWithVariables(OpsctlCommand):
    """Takes `--env NAME=VALUE` for a variable: no environment is called so."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        return super().parse_args(ctx, with_variables(args))


def with_variables(args: list[str]) -> list[str]:
    """Say `--env A=1` as `--var A=1`; what comes behind `--` is the command's own."""
    end = args.index("--") if "--" in args else len(args)
    ours = args[:end]
    found = [
        "--var" if word in ("-e", "--env") and "=" in value else _joined(word)
        for word, value in pairwise([*ours, ""])
    ]
    return [*found, *args[end:]]


def _joined(word: str) -> str:
    name, _, value = word.partition("=")
    return f"--var={value}" if name == "--env" and "=" in value else word


class NameList(click.ParamType[tuple[str, ...]]):
    """Names with commas between them."""

    name = "names"

    def __init__(self, known: tuple[str, ...] = ()) -> None:
        self._known = known

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, ...]:
        names = tuple(name.strip() for name in str(value).split(",") if name.strip())
        strange = [name for name in names if self._known and name not in self._known]
        if strange or not names:
            known = f"; choose from {', '.join(self._known)}" if self._known else ""
            self.fail(f"{value!r} is not known{known}", param, ctx)
        return names


@dataclass(frozen=True, slots=True)
class PlannedTest:
    steps: tuple[str, ...]


@click.command(cls=VerbWithVariables, formats=FORMATS)
@click.option("--image", metavar="IMAGE", help="Image to run the test in.")
@click.option(
    "--matrix", type=NameList(), multiple=True, metavar="IMAGE,...", help="Run in each of these."
)
@click.option("--service", metavar="NAME", default="", help="Run this service of the compose file.")
@click.option("--build", is_flag=True, help="Build the image first, from ./Dockerfile or compose.")
@click.option(
    "--var", multiple=True, metavar="NAME[=VALUE]", help="Variable; also --env NAME=VALUE."
)
@click.option(
    "--mount", multiple=True, metavar="SRC:DST[:rw]", help="Mount a folder; read-only without :rw."
)
@click.option("--workdir", metavar="DIR", default="", help="Start in this folder of the container.")
@click.option("--network", metavar="NAME", default="", help="none, or one of the compose project.")
@click.option(
    "--with",
    "services",
    type=NameList(tuple(SERVICES)),
    multiple=True,
    metavar="NAME,...",
    help="Start temporary servers for it: postgres, timescale, redis.",
)
@click.option("--junit", metavar="FILE", help="Also write a JUnit report to FILE.")
@click.option("--keep", is_flag=True, help="Keep the stopped container and its log.")
@click.option("-n", "--dry-run", is_flag=True, help="Show the plan; run nothing.")
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
@pass_session
def test(session: Session, /, *, dry_run: bool, junit: str | None, **words: Any) -> int:  # noqa: ANN401 - what click read
    """Run a test in a container that cannot exceed 0.5 CPU and 512 MiB.

    Streams its output and exits with its code; after --timeout, with 124. Without an image it runs
    the test service of the compose project. The container has no network, no root, no swap and a
    read-only file system; the caps are verified from inside before the command starts. Settings can
    lower the caps, never raise them (exit 5).

    \b
    Examples:
      opsctl test --image python:3.13-slim --mount .:/work --workdir /work -- python3 -m unittest
      opsctl test --build
      opsctl test --image app:1 --with timescale,redis -- pytest
    """
    requested = _read_options(session, **words)
    token, secret, password = (os.urandom(size).hex() for size in (4, 16, 16))
    run_secrets = RunSecrets(f"opsctl-test-{token}", secret, password)
    context = _context(session)
    plan = prepare(requested, context, run_secrets, build=not dry_run)
    if dry_run:
        return session.output.conclude(PlannedTest(plan.steps), plan.steps, exit_code=EXIT_OK)
    leftovers = remove_leftovers(context.sandboxes, context.host, context.clock)
    session.left_behind = "what had been started was removed"
    result = report(
        run(plan, _parts(session, context), run_secrets, keep=requested.keep), leftovers
    )
    if junit:
        from opsctl.sandbox.junit import junit as as_junit  # noqa: PLC0415 - only its reader pays

        context.files.write_text(Path(junit).absolute(), as_junit(result.runs), mode=0o644)
    for line in lines(result):
        session.output.note(line)
    return session.output.conclude(result, [], exit_code=result.exit_code)


def _read_options(session: Session, **words: Any) -> SandboxOptions:  # noqa: ANN401 - what click read
    """Read the flags; --timeout is the test's, not the engine's."""
    image = (words["image"],) if words["image"] else ()
    return SandboxOptions(
        images=(*image, *(name for names in words["matrix"] for name in names)),
        service=words["service"],
        build=words["build"],
        command=words["command"],
        variables=words["var"],
        mounts=words["mount"],
        workdir=words["workdir"],
        network=words["network"],
        services=tuple(name for names in words["services"] for name in names),
        keep=words["keep"],
        timeout_s=session.pop_timeout(),
    )


def _context(session: Session) -> SandboxContext:
    wiring = session.wiring
    return SandboxContext(
        settings=wiring.settings,
        directory=wiring.project_dir,
        environ=os.environ,
        engine=wiring.local_engine,
        project=lambda: wiring.local_project,
        pid=os.getpid(),
        sandboxes=wiring.sandboxes,
        compose=wiring.compose,
        processes=wiring.processes,
        files=wiring.files,
        host=wiring.host,
        clock=wiring.clock,
        on_line=lambda line: _note(session, line),
    )


def _note(session: Session, line: Line) -> None:
    session.output.note(line.text)


def _parts(session: Session, context: SandboxContext) -> RunParts:
    """Give the command our streams; where stdout is for programs, stderr takes both."""
    out = sys.stdout.buffer if session.options.output == "text" else sys.stderr.buffer
    streams = {OutputStream.OUT: out, OutputStream.ERROR: sys.stderr.buffer}

    def on_output(piece: OutputPiece) -> None:
        streams[piece.stream].write(piece.data)
        streams[piece.stream].flush()

    progress: Progress = NoProgress() if sys.stderr.isatty() else session.progress
    return RunParts(context.sandboxes, context.clock, context.settings.sandbox, on_output, progress)
