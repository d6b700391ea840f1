"""Reads the project's test service as a wish; what would let it out of its caps is refused."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from opsctl.errors import RefusedError, UsageError
from opsctl.sandbox.model import Bind, Limits, Wish
from opsctl.sandbox.parse_flags import bind
from opsctl.sandbox.plan import capped, limits_of
from opsctl.settings.sections.sandbox import Sandbox

if TYPE_CHECKING:
    from opsctl.systems.engine.compose_model import Caps, RenderedProject, Service
    from opsctl.systems.files.local import Files

_OWN = frozenset({"", "none", "default", "bridge"})


def service_of(rendered: "RenderedProject", name: str) -> "Service":
    found = rendered.services.get(name)
    if found is None:
        why = f"it has {', '.join(sorted(rendered.services)) or 'none'}"
        hint = "Name one with --service, or an image with --image."
        raise UsageError(f"the compose project has no service {name}", why=why, hint=hint)
    return found


def wish_of(
    service: "Service", rules: Sandbox, files: "Files", *, project: str, environ: Mapping[str, str]
) -> Wish:
    """Say what the service asks for, as a test asks for it."""
    if escapes := tuple(escapes_of(service)):
        raise RefusedError(
            f"refused to run the service {service.name} as a test",
            why="; ".join(escapes),
            hint="Give tests a service of their own, without these.",
        )
    variables = {
        name: environ.get(name, "") if value is None else value
        for name, value in service.environment.items()
    }
    return Wish(
        images=(service.image or f"{project}-{service.name}",),
        command=service.command,
        entrypoint=service.entrypoint,
        environment=variables,
        binds=tuple(_binds(service, files)),
        writable=tuple(one.target for one in service.volumes if one.kind == "tmpfs"),
        workdir=service.working_dir,
        user=service.user,
        limits=lowered(limits_of(rules), service.caps),
    )


def escapes_of(service: "Service") -> Iterator[str]:
    """Name what gives a service more than a test may have."""
    if service.is_privileged:
        yield "it is privileged"
    for name, given in (("cap_add", service.cap_add), ("devices", service.devices)):
        if given:
            yield f"it has {name}: {', '.join(given)}"
    for name in ("network_mode", "pid", "ipc"):
        if (mode := getattr(service, name)) not in _OWN | {"private", "shareable"}:
            yield f"it has {name}: {mode}"
    for option in service.security_opt:
        if "unconfined" in option or option.endswith(("privileges:false", "disable")):
            yield f"it has security_opt: {option}"
    for volume in service.volumes:
        if volume.kind not in {"bind", "tmpfs"}:
            yield f"it mounts the {volume.kind} {volume.source or volume.target}, which is data"


def lowered(usual: Limits, caps: "Caps") -> Limits:
    """Take the lower of both; one above the ceiling is refused, not forgotten."""
    asked = capped(
        Limits(
            caps.cpus or usual.cpus,
            caps.memory_bytes or usual.memory_bytes,
            caps.pids if caps.pids and caps.pids > 0 else usual.processes,
            usual.tmp_bytes,
        )
    )
    memory = min(asked.memory_bytes, usual.memory_bytes)
    return Limits(
        min(asked.cpus, usual.cpus),
        memory,
        min(asked.processes, usual.processes),
        min(usual.tmp_bytes, memory),
    )


def _binds(service: "Service", files: "Files") -> Iterator[Bind]:
    for volume in service.volumes:
        if volume.kind == "bind":
            source = Path(volume.source)
            yield bind(source, volume.target, files, writable=not volume.is_read_only)
