"""Prints the logs of services."""

from collections.abc import Callable

from opsctl.deploy.compose_file import check_service_names
from opsctl.deploy.integrations import ReportLine
from opsctl.deploy.observe import Observer
from opsctl.deploy.secret_values import collect_secrets
from opsctl.errors import OpsctlError
from opsctl.systems.engine.compose import ComposeProject, LogOptions, UnreadableProjectError
from opsctl.systems.engine.compose_secrets import secret_values
from opsctl.systems.process.output import Line


def print_logs(
    observer: Observer,
    options: LogOptions,
    on_line: Callable[[Line], None],
    *,
    warn: ReportLine = lambda _: None,
) -> None:
    """Print the last lines, and new ones when following; refuse a name the project lacks."""
    context = observer.context
    try:
        rendered = context.compose.config(context.target.compose_project())
    except UnreadableProjectError as error:
        warn(f"warning: {error.what}: {error.why}; printing the logs of the existing containers")
        project = _find_existing_project(observer, options.services)
    else:
        check_service_names(options.services, rendered.services)
        secrets = collect_secrets(context, rendered)
        project = context.target.compose_project(secrets=secrets)
    finished = context.compose.logs(project, options, on_line)
    if finished.exit_code:
        raise OpsctlError("cannot read the logs", why=finished.complaint)


def _find_existing_project(observer: Observer, services: tuple[str, ...]) -> ComposeProject:
    """Describe the project by its containers; their variables say what has to be masked."""
    context = observer.context
    containers = observer.service_containers()
    check_service_names(services, {found.service: found for found in containers})
    secrets = tuple(
        value
        for found in containers
        for value in secret_values(context.containers.environment(found.container.id))
    )
    target = context.target
    return ComposeProject(target.project, target.directory, (), target.engine, secrets=secrets)
