"""Turns the project's test service into a request; refuses what would break its caps."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from opsctl.errors import RefusedError, UsageError
from opsctl.sandbox.model import BindMount, CappedLimits, SandboxRequest
from opsctl.sandbox.parse_flags import resolve_mount
from opsctl.sandbox.plan import limits_from_settings, require_within_ceiling
from opsctl.settings.sections.sandbox import Sandbox

if TYPE_CHECKING:
    from opsctl.systems.engine.compose_model import Caps, RenderedProject, Service
    from opsctl.systems.files.local import Files

_OWN = frozenset({"", "none", "default", "bridge"})


def find_service(rendered: "RenderedProject", name: str) -> "Service":
    service = rendered.services.get(name)
    if service is None:
        why = f"it has {', '.join(sorted(rendered.services)) or 'none'}"
        hint = "Name one with --service, or an image with --image."
        raise UsageError(f"the compose project has no service {name}", why=why, hint=hint)
    return service


def request_from_service(
    service: "Service", rules: Sandbox, files: "Files", *, project: str, environ: Mapping[str, str]
) -> SandboxRequest:
    """Say what the service asks for, as a test asks for it."""
    if escapes := tuple(list_escapes(service)):
        raise RefusedError(
            f"cannot run the service {service.name} as a test",
            why="; ".join(escapes),
            hint="Give tests a service of their own, without these settings.",
        )
    variables = {
        name: environ.get(name, "") if value is None else value
        for name, value in service.environment.items()
    }
    return SandboxRequest(
        images=(service.image or f"{project}-{service.name}",),
        command=service.command,
        entrypoint=service.entrypoint,
        environment=variables,
        binds=tuple(_binds(service, files)),
        writable=tuple(mount.target for mount in service.volumes if mount.kind == "tmpfs"),
        workdir=service.working_dir,
        user=service.user,
        limits=lower_limits(limits_from_settings(rules), service.caps),
    )


def list_escapes(service: "Service") -> Iterator[str]:
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


def lower_limits(usual: CappedLimits, caps: "Caps") -> CappedLimits:
    """Take the lower of both; one above the ceiling is refused, not forgotten."""
    requested = require_within_ceiling(
        CappedLimits(
            caps.cpus or usual.cpus,
            caps.memory_bytes or usual.memory_bytes,
            caps.pids if caps.pids and caps.pids > 0 else usual.processes,
            usual.tmp_bytes,
        )
    )
    memory = min(requested.memory_bytes, usual.memory_bytes)
    return CappedLimits(
        min(requested.cpus, usual.cpus),
        memory,
        min(requested.processes, usual.processes),
        min(usual.tmp_bytes, memory),
    )


def _binds(service: "Service", files: "Files") -> Iterator[BindMount]:
    for volume in service.volumes:
        if volume.kind == "bind":
            source = Path(volume.source)
            yield resolve_mount(source, volume.target, files, writable=not volume.is_read_only)
