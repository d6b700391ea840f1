"""`opsctl init`."""

import click

from opsctl.cli.grammar import Verb
from opsctl.cli.session import Session, pass_session
from opsctl.cli.text import Table


@click.command(cls=Verb)
@click.option("--name", help="Name of the stack; the folder's name by default.")
@click.option("-n", "--dry-run", is_flag=True, help="Show the plan; write nothing.")
@click.option("--exit-code", is_flag=True, help="With --dry-run: exit 4 if files are missing.")
@pass_session
def init(session: Session, *, name: str | None, dry_run: bool, exit_code: bool) -> None:
    """Write what a project needs and never overwrite a file.

    Settings with one overlay an environment, compose files, the first migration and a CI step.
    What is there already stays as it is; what fails half-way is taken back.
    """
