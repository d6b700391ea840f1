"""Hands on what services said."""

from collections.abc import Callable

from opsctl.deploy.compose_file import chosen
from opsctl.deploy.observe import Observer
from opsctl.errors import OpsctlError
from opsctl.systems.engine.compose import LogOptions
from opsctl.systems.process.output import Line


def follow(
    observer: Observer,
    wanted: LogOptions,
    show: Callable[[Line], None],
) -> None:
    """Show the last lines, and those that come; a name must be one of the project."""
    site = observer.site
    project = site.target.compose_project()
    rendered = site.compose.config(project)
    chosen(wanted.services, rendered.services)
    project = site.target.compose_project(secrets=rendered.secrets)
    done = site.compose.logs(project, wanted, show)
    if done.exit_code:
        raise OpsctlError("could not read the logs", why=done.complaint)
