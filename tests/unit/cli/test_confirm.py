import os
import pty
import subprocess
import sys
from collections.abc import Callable

import click
import pytest
from click.testing import CliRunner, Result

from opsctl.cli.click_classes import OpsctlCommand
from opsctl.cli.command_table import Entry
from opsctl.cli.confirm import confirm, confirm_by_name
from opsctl.cli.root import Root
from opsctl.cli.session import Session, pass_session

Ask = Callable[..., Result]


@click.group(cls=Root, table={"destroy": Entry(f"{__name__}:destroy", "Destroy a thing.")})
def program() -> None:
    """Stand for the root."""


@click.command(cls=OpsctlCommand)
@click.option("--yes", "-y", is_flag=True)
@click.option("--confirm", "given")
@pass_session
def destroy(session: Session, *, yes: bool, given: str | None) -> None:
    """Destroy a thing."""
    confirm(session, "Sure?", yes=yes)
    confirm_by_name(session, "This destroys data.", name="prod", given=given)
    click.echo("destroyed")


def ask(*words: str) -> Result:
    return CliRunner().invoke(program, ["destroy", *words])


def ask_a_person(*words: str, typed: str) -> subprocess.CompletedProcess[str]:
    ours, theirs = pty.openpty()
    os.write(ours, typed.encode())
    code = f"from {__name__} import program; program.main({['destroy', *words]!r})"
    try:
        return subprocess.run(
            [sys.executable, "-c", code],
            stdin=theirs,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
    finally:
        os.close(ours)
        os.close(theirs)


def test_without_a_person_the_flag_that_answers_is_named() -> None:
    for words, flag in (((), "--yes"), (("--yes",), "--confirm prod")):
        answer = ask(*words)

        assert answer.exit_code == 2
        assert flag in answer.output


def test_yes_does_not_cover_the_name() -> None:
    assert ask("--yes", "--confirm", "prod").output == "destroyed\n"
    assert ask("--yes", "--confirm", "dev").exit_code == 5


@pytest.mark.parametrize(("typed", "code"), [("y\nprod\n", 0), ("y\ndev\n", 5), ("n\n", 5)])
def test_a_person_types_the_name(typed: str, code: int) -> None:
    assert ask_a_person(typed=typed).returncode == code


def test_no_input_asks_nobody_even_on_a_terminal() -> None:
    assert ask_a_person("--no-input", typed="y\nprod\n").returncode == 2
