"""Decides which containers a test needs; caps can be lowered here, never raised."""

from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from opsctl.errors import RefusedError, UsageError
from opsctl.sandbox.model import (
    MEBI,
    NO_NETWORK,
    TEMPORARY,
    BindMount,
    CappedLimits,
    CappedSpec,
    ImageFacts,
    PlanInputs,
    RunSecrets,
    SandboxPlan,
    SandboxRequest,
)
from opsctl.sandbox.services import NOBODY, SERVICES, Service, addresses, password_variables
from opsctl.settings.sections.sandbox import Sandbox

MAX_LIMITS = CappedLimits(cpus=0.5, memory_bytes=512 * MEBI, processes=256, tmp_bytes=512 * MEBI)
RULE = "tests never use more than 0.5 CPU, 512 MiB and 256 processes"
ROOT_NAMES = frozenset({"", "0", "root"})
# Of the container itself: what hides them hides the caps.
CONTAINER_PATHS = ("/proc", "/sys", "/dev", "/run/opsctl")


def plan(
    request: SandboxRequest, rules: Sandbox, inputs: PlanInputs, run_secrets: RunSecrets
) -> SandboxPlan:
    """Lay out every container, or refuse."""
    shared = _shared(request, rules, inputs, run_secrets)
    runs = tuple(
        _run(
            replace(shared, name=f"{run_secrets.name}-{number}", image=image),
            inputs.images[image],
            request,
        )
        for number, image in enumerate(request.images, start=1)
    )
    service_spec = replace(
        shared, binds=(), environment={"APP_ENV": inputs.app_env}, writable=(), keeps_output=True
    )
    services = {
        name: _service(service_spec, SERVICES[name], (rules, inputs, run_secrets))
        for name in request.services
    }
    private = run_secrets.name if request.services else ""
    return SandboxPlan(services, runs, request.timeout_s or rules.timeout_s, private)


def _shared(
    request: SandboxRequest, rules: Sandbox, inputs: PlanInputs, run_secrets: RunSecrets
) -> CappedSpec:
    """Say what every container of the run has in common."""
    vetted = vet_request(request, rules, inputs.socket)
    usual = {"HOME": TEMPORARY, "APP_ENV": inputs.app_env}
    service_variables = addresses(request.services, run_secrets.password)
    return CappedSpec(
        name=run_secrets.name,
        image="",
        limits=vetted.limits,
        user=vetted.user,
        command=(),
        environment={**usual, **service_variables, **request.environment},
        binds=vetted.binds,
        writable=(*rules.writable, *request.writable),
        network=run_secrets.name if request.services else request.network,
        labels=inputs.labels,
        keeps_output=request.keeps,
    )


@dataclass(frozen=True, slots=True)
class VettedRequest:
    limits: CappedLimits
    user: str
    binds: tuple[BindMount, ...]


def vet_request(request: SandboxRequest, rules: Sandbox, socket: str) -> VettedRequest:
    """Refuse what is too much; asked before anything is built, and by the plan itself."""
    if request.services and request.network != NO_NETWORK:
        why = "services of --with have a network of their own"
        raise UsageError("cannot combine --with and --network", why=why)
    return VettedRequest(
        limits=require_within_ceiling(request.limits or limits_from_settings(rules)),
        user=require_non_root(request.user or rules.user),
        binds=tuple(_require_allowed_mount(bind, socket) for bind in request.binds),
    )


def limits_from_settings(rules: Sandbox) -> CappedLimits:
    memory = rules.memory_mb * MEBI
    return CappedLimits(rules.cpus, memory, rules.processes, min(rules.tmp_mb * MEBI, memory))


def require_within_ceiling(limits: CappedLimits) -> CappedLimits:
    """Refuse what is above the ceiling; it is not cut down in silence."""
    raised = [
        f"{getattr(limits, name) / unit:g} {noun} (at most {getattr(MAX_LIMITS, name) / unit:g})"
        for name, noun, unit in (
            ("cpus", "CPU", 1),
            ("memory_bytes", "MiB of memory", MEBI),
            ("processes", "processes", 1),
        )
        if getattr(limits, name) > getattr(MAX_LIMITS, name)
    ]
    if raised:
        hint = "Lower sandbox.cpus, sandbox.memory_mb, sandbox.processes, or the service's own."
        raise RefusedError(f"cannot give a test {', '.join(raised)}", why=RULE, hint=hint)
    return limits


def require_non_root(user: str) -> str:
    name, _, group = user.partition(":")
    if name in ROOT_NAMES or group in {"0", "root"}:
        why = "tests do not run as root, nor in its group"
        raise RefusedError(f"cannot run as {user or 'root'}", why=why, hint="Set sandbox.user.")
    # A number alone would bring root's group with it.
    return f"{user}:{user}" if user.isdecimal() else user


def _require_allowed_mount(bind: BindMount, socket: str) -> BindMount:
    """Refuse a mount that leads to the engine, or that hides what the caps are read from."""
    what = f"cannot mount {bind.source}:{bind.target}"
    if not socket:
        raise RefusedError(
            what, why="the engine is on another machine and does not see this folder"
        )
    if Path(socket).is_relative_to(bind.source):
        why = f"it contains the engine's socket ({socket}), which gives root on this machine"
        raise RefusedError(what, why=why, hint="Mount the folder that the test needs.")
    target = _require_full_path(bind.target)
    if target == PurePosixPath("/") or any(target.is_relative_to(own) for own in CONTAINER_PATHS):
        raise RefusedError(what, why=f"{bind.target} is the container's own")
    return bind


def _require_full_path(text: str) -> PurePosixPath:
    path = PurePosixPath(text)
    if not path.is_absolute() or ".." in path.parts:
        raise UsageError(
            f"{text!r} is not a path inside a container", why="it has to be an absolute path"
        )
    return path


def _run(spec: CappedSpec, facts: ImageFacts, request: SandboxRequest) -> CappedSpec:
    entrypoint = facts.entrypoint if request.entrypoint is None else request.entrypoint
    # As the engine has it: a new entrypoint forgets the image's command.
    usual = facts.command if request.entrypoint is None else ()
    command = (*entrypoint, *(request.command or usual))
    if not command:
        why = "neither the image nor you name one"
        raise UsageError(f"no command to run in {spec.image}", why=why, hint="Add: -- COMMAND")
    workdir = request.workdir or facts.workdir
    return replace(spec, command=command, workdir=workdir, writable=_writable(spec, facts))


def _service(
    spec: CappedSpec, service: Service, given: tuple[Sandbox, PlanInputs, RunSecrets]
) -> CappedSpec:
    rules, inputs, run_secrets = given
    image = service.image(rules)
    facts = inputs.images[image]
    secret = password_variables(service.name, run_secrets.password)
    spec = replace(
        spec,
        name=f"{run_secrets.name}-{service.name}",
        image=image,
        user=NOBODY,
        command=(*facts.entrypoint, *service.command),
        environment={**spec.environment, **service.environment, **secret},
        workdir=facts.workdir,
        writable=service.writable,
        alias=service.name,
    )
    return replace(spec, writable=_writable(spec, facts))


def _writable(spec: CappedSpec, facts: ImageFacts) -> tuple[str, ...]:
    """List what is writable in memory; a volume of the image would be a disk to fill."""
    mounted = {bind.target for bind in spec.binds}
    found = dict.fromkeys((*spec.writable, *facts.volumes))
    return tuple(path for path in found if path not in mounted and _require_full_path(path).name)
