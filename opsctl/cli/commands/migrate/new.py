"""`opsctl migrate new`."""

from dataclasses import dataclass

import click

from opsctl.cli.click_classes import OpsctlCommand
from opsctl.cli.session import Session, pass_session
from opsctl.migrate.new import drafts, existing, start


@dataclass(frozen=True, slots=True)
class Created:
    files: tuple[str, ...]


@click.command(cls=OpsctlCommand)
@click.argument("name")
@click.option("--down", is_flag=True, help="Also start the part that takes it back.")
@click.option("-n", "--dry-run", is_flag=True, help="Show the names; write nothing.")
@click.option("-y", "--yes", is_flag=True, help="For scripts: nothing is asked here.")
@pass_session
def new(session: Session, *, name: str, down: bool, dry_run: bool, yes: bool) -> int:  # noqa: ARG001 - scripts give it everywhere
    """Start a file with the next free number."""
    wiring = session.wiring
    directory = wiring.project_dir / wiring.settings.migrations.directory
    there = existing(wiring.folder, directory)
    wanted = drafts(there, name, now=wiring.clock.now(), down=down)
    if not dry_run:
        start(wiring.files, directory, wanted)
    paths = tuple(str(directory / draft.file) for draft in wanted)
    return session.output.conclude(Created(paths), paths)
