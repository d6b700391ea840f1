"""The root command, and the one place where an error becomes an exit code."""

import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from errno import ENOSPC
from typing import TYPE_CHECKING, Any, NoReturn, TextIO, cast

import click

from opsctl.cli.click_classes import LazyGroup
from opsctl.cli.command_table import ROOT_COMMANDS
from opsctl.cli.exit import exit_process
from opsctl.cli.flags import FORMATS, VERSION
from opsctl.cli.session import Session
from opsctl.cli.signals import caught_signal, signals_interrupt
from opsctl.errors import InterruptedRunError, OpsctlError, UsageError

if TYPE_CHECKING:
    from opsctl.cli.show.output import Output

EPILOG = """Exit codes: 0 done, 1 failed, 2 usage, 3 trouble found, 4 pending, 5 refused,
6 settings, 7 unreachable, 8 not restored, 75 busy, 130 interrupted."""


class Root(LazyGroup):
    def main(  # type: ignore[override] # click's overloads tell modes apart; this always exits
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        **extra: Any,  # noqa: ANN401 - handed on to click
    ) -> NoReturn:
        """Run one command and leave with its exit code."""
        arguments = list(sys.argv[1:] if args is None else args)
        session = extra.pop("obj", None) or Session()
        extra["prog_name"] = prog_name or "opsctl"
        sys.exit(self._run(arguments, session, extra))

    def _run(self, arguments: list[str], session: Session, extra: dict[str, Any]) -> int:
        try:
            with signals_interrupt():
                code = super().main(arguments, standalone_mode=False, obj=session, **extra)
        except BrokenPipeError:
            _forget(sys.stdout)
            return 1
        except click.exceptions.NoArgsIsHelpError as error:
            return _no_verb(error, _output(session, arguments), arguments)
        except (OpsctlError, click.ClickException, click.Abort, KeyboardInterrupt) as error:
            return _failed(_output(session, arguments), translate_error(error, session))
        except Exception as error:  # noqa: BLE001 - the last catch: a traceback is a bug and is told as one
            if isinstance(error, OSError) and error.errno == ENOSPC:
                return _aside(_output(session, arguments), _unwritten(error))
            return _failed(_output(session, arguments), _bug(error, arguments))
        return code if isinstance(code, int) else 0


def translate_error(error: BaseException, session: Session) -> OpsctlError:
    """Say click's errors and interruptions in our words."""
    if isinstance(error, OpsctlError):
        return error
    if isinstance(error, click.ClickException):
        context = getattr(error, "ctx", None)
        path = context.command_path if context else "opsctl"
        return UsageError(error.format_message(), hint=f"`{path} --help` lists what it takes.")
    return InterruptedRunError(f"interrupted by {caught_signal()}", why=session.left_behind)


def _no_verb(
    error: click.exceptions.NoArgsIsHelpError, output: "Output", arguments: Sequence[str]
) -> int:
    """Show what a branch could be asked; a program that reads JSON gets an error in JSON."""
    branch = cast("click.Group", error.ctx.command)
    if requested_format(arguments) == "text":
        click.echo(error.ctx.get_help(), err=True)
        return UsageError.exit_code
    verbs = ", ".join(branch.list_commands(error.ctx))
    what = f"`{error.ctx.command_path}` wants one of its commands"
    return output.fail(UsageError(what, hint=f"They are {verbs}."))


def requested_format(arguments: Sequence[str]) -> str:
    """Read the format from words that click may have refused."""
    form = "text"
    for word, following in zip(arguments, [*arguments[1:], ""], strict=False):
        if word == "--":
            break
        if word == "--json":
            form = "json"
        value = following if word in ("-o", "--output") else word.removeprefix("--output=")
        if value in FORMATS and (word.startswith("--output") or word == "-o"):
            form = value
        elif word.startswith("-o") and word[2:] in FORMATS:
            form = word[2:]
    return form


def _output(session: Session, arguments: Sequence[str]) -> "Output":
    if not session.command:
        session.begin("", {"output": requested_format(arguments)})
    return session.output


def _failed(output: "Output", error: OpsctlError) -> int:
    with suppress(OSError):
        return output.fail(error)
    return _aside(output, error)


def _aside(output: "Output", error: OpsctlError) -> int:
    """Tell the person where answers cannot be written; where that is full too, the code tells."""
    _forget(sys.stdout)
    with suppress(OSError):
        return output.fail_aside(error)
    _forget(sys.stderr)
    return output.code_of(error)


def _unwritten(error: OSError) -> OpsctlError:
    """Say that the answer does not fit where it goes; `systems` says that of files of ours."""
    return OpsctlError(
        "cannot write the answer",
        why=str(error.strerror),
        hint="Free some space where the output goes; `opsctl disk check` shows what is full.",
    )


def _bug(error: Exception, arguments: Sequence[str]) -> OpsctlError:
    if {"-vv", "-vvv"} & set(arguments) or list(arguments).count("-v") > 1:
        import traceback  # noqa: PLC0415 - only a bug pays

        click.echo("".join(traceback.format_exception(error)), err=True)
    return OpsctlError(
        f"opsctl itself failed: {type(error).__name__}",
        why=str(error).partition("\n")[0],
        hint="This is a bug in opsctl. -vv shows where; please report it with that.",
    )


def _forget(stream: TextIO) -> None:
    """Let the last flush go nowhere: the reader has left, or the disk is full."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _open_closed_streams() -> None:
    """Whoever closed one wants nothing of it; no file of ours may come to stand in its place."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode))  # noqa: PTH123, SIM115 - open to the end; pathlib takes 3 ms


@click.group(cls=Root, params=[VERSION], table=ROOT_COMMANDS, epilog=EPILOG)
def root() -> None:
    """Run one server's data stack: deploy it, migrate it, watch it, heal it."""


def main() -> NoReturn:
    # pydantic would read the metadata of every installed package for plugins: a tenth of our start.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    _open_closed_streams()
    try:
        root.main()
    except SystemExit as end:
        if isinstance(end.code, str):
            raise
        exit_process(end.code or 0)
