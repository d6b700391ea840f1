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


def plan(wish: SandboxRequest, rules: Sandbox, stage: PlanInputs, marks: RunSecrets) -> SandboxPlan:
    """Lay out every container, or refuse."""
    shared = _shared(wish, rules, stage, marks)
    runs = tuple(
        _run(replace(shared, name=f"{marks.name}-{number}", image=image), stage.images[image], wish)
        for number, image in enumerate(wish.images, start=1)
    )
    served = replace(
        shared, binds=(), environment={"APP_ENV": stage.app_env}, writable=(), keeps_output=True
    )
    services = {
        name: _service(served, SERVICES[name], (rules, stage, marks)) for name in wish.services
    }
    private = marks.name if wish.services else ""
    return SandboxPlan(services, runs, wish.timeout_s or rules.timeout_s, private)


def _shared(
    wish: SandboxRequest, rules: Sandbox, stage: PlanInputs, marks: RunSecrets
) -> CappedSpec:
    """Say what every container of the run has in common."""
    vetted = vet_request(wish, rules, stage.socket)
    usual = {"HOME": TEMPORARY, "APP_ENV": stage.app_env}
    handed = addresses(wish.services, marks.password)
    return CappedSpec(
        name=marks.name,
        image="",
        limits=vetted.limits,
        user=vetted.user,
        command=(),
        environment={**usual, **handed, **wish.environment},
        binds=vetted.binds,
        writable=(*rules.writable, *wish.writable),
        network=marks.name if wish.services else wish.network,
        labels=stage.labels,
        keeps_output=wish.keeps,
    )


@dataclass(frozen=True, slots=True)
class VettedRequest:
    limits: CappedLimits
    user: str
    binds: tuple[BindMount, ...]


def vet_request(wish: SandboxRequest, rules: Sandbox, socket: str) -> VettedRequest:
    """Refuse what is too much; asked before anything is built, and by the plan itself."""
    if wish.services and wish.network != NO_NETWORK:
        why = "services of --with have a network of their own"
        raise UsageError("cannot combine --with and --network", why=why)
    return VettedRequest(
        limits=require_within_ceiling(wish.limits or limits_from_settings(rules)),
        user=require_non_root(wish.user or rules.user),
        binds=tuple(_require_allowed_mount(bind, socket) for bind in wish.binds),
    )


def limits_from_settings(rules: Sandbox) -> CappedLimits:
    memory = rules.memory_mb * MEBI
    return CappedLimits(rules.cpus, memory, rules.processes, min(rules.tmp_mb * MEBI, memory))


def require_within_ceiling(limits: CappedLimits) -> CappedLimits:
    """Refuse what is above the ceiling; it is not cut down in silence."""
    raised = [
        f"{getattr(limits, name) / unit:g} {said} (at most {getattr(MAX_LIMITS, name) / unit:g})"
        for name, said, unit in (
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


def _run(spec: CappedSpec, facts: ImageFacts, wish: SandboxRequest) -> CappedSpec:
    entrypoint = facts.entrypoint if wish.entrypoint is None else wish.entrypoint
    # As the engine has it: a new entrypoint forgets the image's command.
    usual = facts.command if wish.entrypoint is None else ()
    command = (*entrypoint, *(wish.command or usual))
    if not command:
        why = "neither the image nor you name one"
        raise UsageError(f"no command to run in {spec.image}", why=why, hint="Add: -- COMMAND")
    workdir = wish.workdir or facts.workdir
    return replace(spec, command=command, workdir=workdir, writable=_writable(spec, facts))


def _service(
    spec: CappedSpec, service: Service, given: tuple[Sandbox, PlanInputs, RunSecrets]
) -> CappedSpec:
    rules, stage, marks = given
    image = service.image(rules)
    facts = stage.images[image]
    secret = password_variables(service.name, marks.password)
    spec = replace(
        spec,
        name=f"{marks.name}-{service.name}",
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
