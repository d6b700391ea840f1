"""Asks before something is destroyed; production requires typing its name."""

import sys

import click

from opsctl.cli.session import Session
from opsctl.errors import RefusedError, UsageError


def confirm(session: Session, question: str, *, yes: bool) -> None:
    """Ask yes or no; `--yes` answers."""
    if yes:
        return
    _require_terminal(session, flag="--yes")
    if not click.confirm(question, err=True):
        raise RefusedError("not confirmed; nothing was changed")


def confirm_by_name(session: Session, question: str, *, name: str, given: str | None) -> None:
    """Ask for the name of the environment; `--confirm NAME` answers, `--yes` does not."""
    if given is None:
        _require_terminal(session, flag=f"--confirm {name}")
        given = click.prompt(f"{question} Type {name} to continue", err=True)
    if given != name:
        raise RefusedError(
            f"not confirmed: {given!r} is not {name!r}; nothing was changed",
            hint=f"Type {name}, or pass --confirm {name}.",
        )


def _require_terminal(session: Session, *, flag: str) -> None:
    if session.options.no_input or not sys.stdin.isatty():
        command = session.command.replace(".", " ")
        raise UsageError(
            f"`opsctl {command}` needs an answer, and there is no terminal to ask on",
            hint=f"Pass {flag}.",
        )
