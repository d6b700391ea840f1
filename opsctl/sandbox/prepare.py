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
    asked: SandboxOptions, desk: SandboxContext, marks: RunSecrets, *, build: bool = True
) -> SandboxPlan:
    """Plan the test; an image is built only when it will be run, and nothing speaks against it."""
    rules, socket = desk.settings.sandbox, _socket(desk)
    service = None if _images(asked, rules) else _service(asked.service, desk)
    wish = _wish(asked, desk, service)
    wish = replace(wish, network=_network(wish, desk))
    vet_request(wish, rules, socket)
    if asked.build and build:
        _build(wish.images, desk, service)
    return plan(wish, rules, _stage(wish, desk, socket), marks)


def _images(asked: SandboxOptions, rules: Sandbox) -> tuple[str, ...]:
    if asked.service and asked.images:
        why = "a service has an image of its own"
        raise UsageError("cannot combine --service and --image", why=why)
    usual = (rules.image,) if rules.image and not asked.service else ()
    return asked.images or usual


def _wish(asked: SandboxOptions, desk: SandboxContext, service: "Service | None") -> SandboxRequest:
    rules = desk.settings.sandbox
    wish = SandboxRequest(_images(asked, rules) or (f"{desk.settings.project.name}-test",))
    if service:
        project = desk.project().name
        wish = request_from_service(
            service, rules, desk.files, project=project, environ=desk.environ
        )
    elif not _images(asked, rules) and not asked.build:
        why = f"no image is named, and no service {rules.service} in compose"
        hint = "Name one: opsctl test --image IMAGE -- COMMAND, or sandbox.image."
        raise UsageError("cannot choose an image for the test", why=why, hint=hint)
    binds = tuple(parse_mount(text, desk.directory, desk.files) for text in asked.mounts)
    return replace(
        wish,
        command=asked.command or wish.command,
        environment={**wish.environment, **parse_variables(asked.variables, desk.environ)},
        binds=(*wish.binds, *binds),
        workdir=asked.workdir or wish.workdir,
        network=asked.network or (NO_NETWORK if asked.services else rules.network),
        services=tuple(name for name in SERVICES if name in asked.services),
        keeps=asked.keep,
        timeout_s=asked.timeout_s,
    )


def _service(named: str, desk: SandboxContext) -> "Service | None":
    """Read the service from the compose file; None when there is none and nobody named it."""
    project, usual = desk.project(), desk.settings.sandbox.service
    if not named and desk.files.kind(desk.directory / project.files[0]) is not PathKind.FILE:
        return None
    rendered = desk.compose.config(project)
    if not named and usual not in rendered.services:
        return None
    return find_service(rendered, named or usual)


def _build(images: tuple[str, ...], desk: SandboxContext, service: "Service | None") -> None:
    if service:
        secrets = tuple(value for value in service.environment.values() if value)
        project = replace(desk.project(), secrets=secrets)
        desk.compose.build(project, desk.on_line, services=(service.name,)).require()
        return
    if len(images) != 1:
        raise UsageError("cannot build more than one image", why=f"{len(images)} are named")
    command = build_command(images[0], desk.directory, desk.engine)
    desk.processes.stream(command, desk.on_line).require()


def _socket(desk: SandboxContext) -> str:
    """Follow the links to the engine's socket: what is mounted is what they lead to."""
    socket = desk.sandboxes.socket
    return str(desk.files.resolve(Path(socket))) if socket else ""


def _network(wish: SandboxRequest, desk: SandboxContext) -> str:
    """Find the engine's name of a compose network; production's are out of reach."""
    name = wish.network
    if name == NO_NETWORK or wish.services:
        return name
    if desk.settings.env == "prod":
        why = "a test never joins a network of production"
        raise RefusedError(f"cannot join the network {name}", why=why, hint="Use -e dev, or none.")
    project = desk.project().name
    labels = (f"{PROJECT_LABEL}={project}", f"{NETWORK_LABEL}={name}")
    found = desk.sandboxes.networks(*labels)
    if not found:
        why = f"the compose project {project} has no such network now"
        raise OpsctlError(f"cannot join the network {name}", why=why, hint="Start it first.")
    return found[0].name


def _stage(wish: SandboxRequest, desk: SandboxContext, socket: str) -> PlanInputs:
    rules = desk.settings.sandbox
    names = (*wish.images, *(SERVICES[name].image(rules) for name in wish.services))
    images = {}
    for name in names:
        facts = desk.sandboxes.image(name)
        if facts is None:
            hint = f"docker pull {name}, or let --build make it."
            raise OpsctlError(
                f"cannot find the image {name}", why="tests never pull images", hint=hint
            )
        images[name] = facts
    runs_s = (wish.timeout_s or rules.timeout_s) * len(wish.images) + rules.service_wait_s
    owner = current_owner(desk.host, desk.pid)
    labels = lease_labels(owner, now=desk.clock.now(), runs_s=runs_s)
    labels[PROJECT] = desk.settings.project.name
    return PlanInputs(images, socket, labels, app_env(desk.settings.env))
