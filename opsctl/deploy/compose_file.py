"""Writes the file that runs: the rendered project, with APP_ENV in every service."""

import hashlib
import json
from collections.abc import Collection, Mapping
from typing import Any

from opsctl.deploy.model import Draft
from opsctl.errors import OpsctlError, UsageError
from opsctl.systems.engine.compose_model import RenderedProject, read_rendered


def draft(rendered: RenderedProject, *, app_env: str, profiles: Collection[str]) -> Draft:
    """Make the file that is run from what compose rendered; the same text for the same project."""
    raw = json.loads(rendered.text)
    for name, service in (raw.get("services") or {}).items():
        _complete(service, f"{raw['name']}-{name}", app_env)
    made = drafted(json.dumps(raw, indent=1, sort_keys=True), profiles)
    if not made.services:
        raise OpsctlError(f"{rendered.name} has no services to run", hint="Look at its profiles.")
    return made


def _complete(service: dict[str, Any], image: str, app_env: str) -> None:
    environment = service.get("environment") or {}
    service["environment"] = {**environment, "APP_ENV": app_env}
    # What compose would call it anyway; said, so that every image has a name in the plan.
    service.setdefault("image", image)


def active(rendered: RenderedProject, profiles: Collection[str]) -> tuple[str, ...]:
    """Name the services that run under these profiles."""
    return tuple(
        name
        for name, service in rendered.services.items()
        if service.replicas and (not service.profiles or set(service.profiles) & set(profiles))
    )


def chosen(names: tuple[str, ...], known: Mapping[str, object]) -> tuple[str, ...]:
    """Take only services that the project has: a name is data, never a word for a shell."""
    for name in names:
        if name not in known:
            raise UsageError(
                f"{name!r} is not a service of this project",
                hint=f"It has: {', '.join(sorted(known))}",
            )
    return tuple(dict.fromkeys(names))


def only(text: str, images: Mapping[str, str]) -> str:
    """Cut a project down to these services, each with the image that is named for it."""
    raw = json.loads(text)
    kept = {name: raw["services"][name] for name in images if name in raw["services"]}
    for name, service in kept.items():
        service["image"] = images[name]
        needs = service.get("depends_on") or {}
        service["depends_on"] = {one: how for one, how in needs.items() if one in kept}
    return json.dumps({**raw, "services": kept}, indent=1, sort_keys=True)


def merged(new: str, old: str, names: Collection[str]) -> str:
    """Lay the named services of one project over another: what a partial deploy makes run."""
    fresh, kept = json.loads(new), json.loads(old)
    for kind in ("services", "networks", "volumes", "secrets", "configs"):
        own = fresh.get(kind) or {}
        if kind == "services":
            own = {name: own[name] for name in names if name in own}
        if both := {**(kept.get(kind) or {}), **own}:
            fresh[kind] = both
    return json.dumps(fresh, indent=1, sort_keys=True)


def drafted(text: str, profiles: Collection[str]) -> Draft:
    """Read a generated file back."""
    read = read_rendered(text)
    services = tuple(sorted(active(read, profiles)))
    return Draft(text, digest_of(text, services), read, services)


def digest_of(text: str, services: tuple[str, ...]) -> str:
    return hashlib.sha256(f"{services}{text}".encode()).hexdigest()


def needed(made: Draft, names: tuple[str, ...]) -> tuple[str, ...]:
    """Name these services with all that they depend on."""
    wanted: dict[str, None] = {}
    todo = list(names)
    while todo:
        name = todo.pop()
        if name not in wanted and name in made.rendered.services:
            wanted[name] = None
            todo += made.service(name).depends_on
    return tuple(sorted(wanted))
