"""`opsctl init`."""

from typing import TYPE_CHECKING

import click

from opsctl.cli.click_classes import OpsctlCommand
from opsctl.cli.flags import lock_timeout
from opsctl.cli.session import Session, pass_session
from opsctl.cli.show.text import Block, Table
from opsctl.errors import EXIT_OK, EXIT_PENDING
from opsctl.init.install_source import read_install_source
from opsctl.init.model import InitPlan
from opsctl.init.observe_paths import observe_paths
from opsctl.init.plan import plan_init
from opsctl.init.project_files import list_project_files, project_name
from opsctl.init.write import write_files

if TYPE_CHECKING:
    from pathlib import Path

    from opsctl.init.model import InstallSource
    from opsctl.systems.files.local import Files


@click.command(cls=OpsctlCommand)
@click.option("--name", help="Name of the stack (default: the folder's name).")
@click.option(
    "--install-from",
    metavar="SOURCE",
    help="Where CI and the image install opsctl from: a checkout, a wheel or a pinned address.",
)
@click.option("-n", "--dry-run", is_flag=True, help="Show the plan; write nothing.")
@click.option("--exit-code", is_flag=True, help="With -n: exit 4 if files are missing.")
@lock_timeout
@pass_session
def init(
    session: Session,
    *,
    name: str | None,
    install_from: str | None,
    dry_run: bool,
    exit_code: bool,
    lock_timeout_s: float | None,
) -> int:
    """Create the files of a new project; never overwrite one.

    Writes settings with an overlay per environment, compose files, the first migration, a
    Dockerfile and a CI workflow. Existing files stay as they are; if writing fails, the new files
    are removed.

    The workflow and the Dockerfile install opsctl from --install-from: a path, a wheel, or an
    address with a commit, a tag or #sha256=. Without it both fail and say what to fill in, because
    opsctl is not published, and its name on PyPI belongs to somebody else.

    \b
    Examples:
      opsctl init -n                        list the files that are missing
      opsctl init --name trading
      opsctl init --install-from ./vendor/opsctl
    """
    root = session.wiring.directory
    project = name or project_name(root.name)
    wiring = session.switch_wiring(session.wiring.or_defaults(project))
    source = _source(install_from, root, wiring.files)
    wanted = list_project_files(project, source)
    if dry_run:
        steps = plan_init(wanted, observe_paths(root, wanted, wiring.files), source)
        code = EXIT_PENDING if exit_code and steps.pending else EXIT_OK
        return session.output.conclude(steps, _view(steps), exit_code=code)
    with session.audited_change(str(root), lock="init", wait_s=lock_timeout_s or 0.0):
        steps = plan_init(wanted, observe_paths(root, wanted, wiring.files), source)
        session.left_behind = "what had been written was removed again"
        write_files(root, steps, wanted, files=wiring.files, progress=session.progress)
    return session.output.conclude(steps, _view(steps))


def _source(given: str | None, root: "Path", files: "Files") -> "InstallSource | None":
    return None if given is None else read_install_source(given, root, files)


def _view(steps: InitPlan) -> list[Block]:
    rows = tuple((step.action.value, step.path, step.reason) for step in steps.steps)
    return [Table(("", "file", "why"), rows)]
