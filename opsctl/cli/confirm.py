"""Asks before something is destroyed; production wants its name typed."""

import sys

import click

from opsctl.cli.session import Session
from opsctl.errors import RefusedError, UsageError


def confirm(session: Session, question: str, *, yes: bool) -> None:
    """Ask yes or no; `--yes` answers."""
    if yes:
        return
    _need_a_person(session, flag="--yes")
    if not click.confirm(question, err=True):
        raise RefusedError("not confirmed; nothing was changed")


def confirm_by_name(session: Session, question: str, *, name: str, given: str | None) -> None:
    """Ask for the environment's name; only `--confirm NAME` answers, `--yes` does not."""
    if given is None:
        _need_a_person(session, flag=f"--confirm {name}")
        given = click.prompt(f"{question} Type {name} to go on", err=True)
    if given != name:
        raise RefusedError(
            f"not confirmed: {given!r} is not {name!r}; nothing was changed",
            hint=f"Type {name}, or give --confirm {name}.",
        )


def _need_a_person(session: Session, *, flag: str) -> None:
    if session.options.no_input or not sys.stdin.isatty():
        raise UsageError(
            f"`opsctl {session.command.replace('.', ' ')}` needs an answer and nobody can be asked",
            hint=f"Give it with {flag}.",
        )
