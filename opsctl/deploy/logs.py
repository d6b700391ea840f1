"""Prints the logs of services."""

from collections.abc import Callable

from opsctl.deploy.compose_file import check_service_names
from opsctl.deploy.observe import Observer
from opsctl.errors import OpsctlError
from opsctl.systems.engine.compose import LogOptions
from opsctl.systems.process.output import Line


def print_logs(observer: Observer, options: LogOptions, on_line: Callable[[Line], None]) -> None:
    """Print the last lines, and new ones when following; refuse a name the project lacks."""
    context = observer.context
    rendered = context.compose.config(context.target.compose_project())
    check_service_names(options.services, rendered.services)
    project = context.target.compose_project(secrets=rendered.secrets)
    finished = context.compose.logs(project, options, on_line)
    if finished.exit_code:
        raise OpsctlError("cannot read the logs", why=finished.complaint)
