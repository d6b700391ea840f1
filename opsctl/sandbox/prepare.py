"""From the options to a plan: reads the compose project, builds, and inspects the images."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from opsctl.errors import OpsctlError, RefusedError, UsageError
from opsctl.sandbox.build_image import build_command
from opsctl.sandbox.compose_service import find_service, request_from_service
from opsctl.sandbox.model import NO_NETWORK, PlanInputs, RunSecrets, SandboxPlan, SandboxRequest
from opsctl.sandbox.ownership import PROJECT, current_owner, lease_labels
from opsctl.sandbox.parse_flags import parse_mount, parse_variables
from opsctl.sandbox.plan import plan, vet_request
from opsctl.sandbox.services import SERVICES
from opsctl.settings import Settings
from opsctl.settings.reading.choose_environment import app_env
from opsctl.settings.sections.sandbox import Sandbox
from opsctl.systems.engine.compose_labels import NETWORK_LABEL, PROJECT_LABEL
from opsctl.systems.files.local import PathKind

if TYPE_CHECKING:
    from opsctl.systems.clock import Clock
    from opsctl.systems.engine.capped_container import CappedRunner
    from opsctl.systems.engine.compose import Compose, ComposeProject
    from opsctl.systems.engine.compose_model import Service
    from opsctl.systems.files.local import Files
    from opsctl.systems.host import Host
    from opsctl.systems.process.output import Line
    from opsctl.systems.process.run import Processes


@dataclass(frozen=True, slots=True)
class SandboxOptions:
    """What was typed."""

    images: tuple[str, ...] = ()
    service: str = ""
    build: bool = False
    command: tuple[str, ...] = field(default=(), repr=False)
    variables: tuple[str, ...] = field(default=(), repr=False)
    mounts: tuple[str, ...] = ()
    workdir: str = ""
    network: str = ""
    services: tuple[str, ...] = ()
    keep: bool = False
    timeout_s: float | None = None


@dataclass(frozen=True, slots=True)
class SandboxContext:
    """Where it is prepared, and by whom."""

    settings: Settings
    directory: Path
    environ: Mapping[str, str] = field(repr=False)
    engine: str
    project: "Callable[[], ComposeProject]"
    """The compose project, read only when it is needed."""
    pid: int
    sandboxes: "CappedRunner"
    compose: "Compose"
    processes: "Processes"
    files: "Files"
    host: "Host"
    clock: "Clock"
    on_line: "Callable[[Line], None]"


def prepare(
    options: SandboxOptions, context: SandboxContext, run_secrets: RunSecrets, *, build: bool = True
) -> SandboxPlan:
    """Plan the test; an image is built only when it will be run, and nothing speaks against it."""
    rules, socket = context.settings.sandbox, _socket(context)
    service = None if _images(options, rules) else _service(options.service, context)
    request = _request(options, context, service)
    request = replace(request, network=_network(request, context))
    vet_request(request, rules, socket)
    if options.build and build:
        _build(request.images, context, service)
    return plan(request, rules, _inputs(request, context, socket), run_secrets)


def _images(options: SandboxOptions, rules: Sandbox) -> tuple[str, ...]:
    if options.service and options.images:
        why = "a service has an image of its own"
        raise UsageError("cannot combine --service and --image", why=why)
    usual = (rules.image,) if rules.image and not options.service else ()
    return options.images or usual


def _request(
    options: SandboxOptions, context: SandboxContext, service: "Service | None"
) -> SandboxRequest:
    rules = context.settings.sandbox
    request = SandboxRequest(_images(options, rules) or (f"{context.settings.project.name}-test",))
    if service:
        project = context.project().name
        request = request_from_service(
            service, rules, context.files, project=project, environ=context.environ
        )
    elif not _images(options, rules) and not options.build:
        why = f"no image is named, and no service {rules.service} in compose"
        hint = "Name one: opsctl test --image IMAGE -- COMMAND, or sandbox.image."
        raise UsageError("cannot choose an image for the test", why=why, hint=hint)
    binds = tuple(parse_mount(text, context.directory, context.files) for text in options.mounts)
    return replace(
        request,
        command=options.command or request.command,
        environment={**request.environment, **parse_variables(options.variables, context.environ)},
        binds=(*request.binds, *binds),
        workdir=options.workdir or request.workdir,
        network=options.network or (NO_NETWORK if options.services else rules.network),
        services=tuple(name for name in SERVICES if name in options.services),
        keeps=options.keep,
        timeout_s=options.timeout_s,
    )


def _service(named: str, context: SandboxContext) -> "Service | None":
    """Read the service from the compose file; None when there is none and nobody named it."""
    project, usual = context.project(), context.settings.sandbox.service
    if not named and context.files.kind(context.directory / project.files[0]) is not PathKind.FILE:
        return None
    rendered = context.compose.config(project)
    if not named and usual not in rendered.services:
        return None
    return find_service(rendered, named or usual)


def _build(images: tuple[str, ...], context: SandboxContext, service: "Service | None") -> None:
    if service:
        secrets = tuple(value for value in service.environment.values() if value)
        project = replace(context.project(), secrets=secrets)
        context.compose.build(project, context.on_line, services=(service.name,)).require()
        return
    if len(images) != 1:
        raise UsageError("cannot build more than one image", why=f"{len(images)} are named")
    command = build_command(images[0], context.directory, context.engine)
    context.processes.stream(command, context.on_line).require()


def _socket(context: SandboxContext) -> str:
    """Follow the links to the engine's socket: what is mounted is what they lead to."""
    socket = context.sandboxes.socket
    return str(context.files.resolve(Path(socket))) if socket else ""


def _network(request: SandboxRequest, context: SandboxContext) -> str:
    """Find the engine's name of a compose network; production's are out of reach."""
    name = request.network
    if name == NO_NETWORK or request.services:
        return name
    if context.settings.env == "prod":
        why = "a test never joins a network of production"
        raise RefusedError(f"cannot join the network {name}", why=why, hint="Use -e dev, or none.")
    project = context.project().name
    labels = (f"{PROJECT_LABEL}={project}", f"{NETWORK_LABEL}={name}")
    found = context.sandboxes.networks(*labels)
    if not found:
        why = f"the compose project {project} has no such network now"
        raise OpsctlError(f"cannot join the network {name}", why=why, hint="Start it first.")
    return found[0].name


def _inputs(request: SandboxRequest, context: SandboxContext, socket: str) -> PlanInputs:
    rules = context.settings.sandbox
    names = (*request.images, *(SERVICES[name].image(rules) for name in request.services))
    images = {}
    for name in names:
        facts = context.sandboxes.image(name)
        if facts is None:
            hint = f"docker pull {name}, or let --build make it."
            raise OpsctlError(
                f"cannot find the image {name}", why="tests never pull images", hint=hint
            )
        images[name] = facts
    runs_s = (request.timeout_s or rules.timeout_s) * len(request.images) + rules.service_wait_s
    owner = current_owner(context.host, context.pid)
    labels = lease_labels(owner, now=context.clock.now(), runs_s=runs_s)
    labels[PROJECT] = context.settings.project.name
    return PlanInputs(images, socket, labels, app_env(context.settings.env))
