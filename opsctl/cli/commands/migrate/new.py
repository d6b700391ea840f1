"""`opsctl migrate new`."""

from dataclasses import dataclass

import click

from opsctl.cli.click_classes import OpsctlCommand
from opsctl.cli.session import Session, pass_session
from opsctl.migrate.new_files import create_files, list_existing, plan_new_files


@dataclass(frozen=True, slots=True)
class NewFilesReport:
    files: tuple[str, ...]


@click.command(cls=OpsctlCommand)
@click.argument("name")
@click.option("--down", is_flag=True, help="Also create the down file that reverts it.")
@click.option("-n", "--dry-run", is_flag=True, help="Show the names; write nothing.")
@click.option("-y", "--yes", is_flag=True, help="Accepted for scripts; nothing is asked.")
@pass_session
def new(session: Session, *, name: str, down: bool, dry_run: bool, yes: bool) -> int:  # noqa: ARG001 - scripts give it everywhere
    """Create a migration file with the next free number.

    \b
    Examples:
      opsctl migrate new add_orders
      opsctl migrate new "add orders" --down
    """
    wiring = session.wiring
    directory = wiring.project_dir / wiring.settings.migrations.directory
    there = list_existing(wiring.folder, directory)
    new_files = plan_new_files(there, name, now=wiring.clock.now(), down=down)
    if not dry_run:
        create_files(wiring.files, directory, new_files)
    paths = tuple(str(directory / new_file.file) for new_file in new_files)
    return session.output.conclude(NewFilesReport(paths), paths)
