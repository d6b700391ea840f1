"""Generates the compose file that runs: the rendered project, with APP_ENV in every service."""

import hashlib
import json
from collections.abc import Collection, Mapping
from typing import Any

from opsctl.deploy.model import GeneratedProject
from opsctl.errors import OpsctlError, UsageError
from opsctl.systems.engine.compose_model import RenderedProject, Service, read_rendered


def generate_project(
    rendered: RenderedProject, *, app_env: str, profiles: Collection[str]
) -> GeneratedProject:
    """Generate the file from what compose rendered; the same project gives the same text."""
    raw = json.loads(rendered.text)
    for name, service in (raw.get("services") or {}).items():
        _complete_service(service, f"{raw['name']}-{name}", app_env)
    generated = read_generated(json.dumps(raw, indent=1, sort_keys=True), profiles)
    if not any(_is_active(service, profiles) for service in rendered.services.values()):
        raise OpsctlError(
            f"cannot deploy {rendered.name}",
            why="its compose file has no services to run",
            hint="Check the profiles of its services.",
        )
    return generated


def _complete_service(service: dict[str, Any], image: str, app_env: str) -> None:
    environment = service.get("environment") or {}
    service["environment"] = {**environment, "APP_ENV": app_env}
    # Compose's own default, written out so that every image in the plan has a name.
    service.setdefault("image", image)


def active_services(rendered: RenderedProject, profiles: Collection[str]) -> tuple[str, ...]:
    """Name the services that run under these profiles."""
    return tuple(
        name
        for name, service in rendered.services.items()
        if service.replicas and _is_active(service, profiles)
    )


def _is_active(service: Service, profiles: Collection[str]) -> bool:
    return not service.profiles or bool(set(service.profiles) & set(profiles))


def check_service_names(names: tuple[str, ...], known: Mapping[str, object]) -> tuple[str, ...]:
    """Refuse names that the project does not have, and drop duplicates."""
    for name in names:
        if name not in known:
            raise UsageError(
                f"{name!r} is not a service of this project",
                hint=f"Its services: {', '.join(sorted(known))}",
            )
    return tuple(dict.fromkeys(names))


def keep_services(text: str, images: Mapping[str, str]) -> str:
    """Reduce a project to these services, each with the image given for it."""
    raw = json.loads(text)
    kept = {name: raw["services"][name] for name in images if name in raw["services"]}
    for name, service in kept.items():
        service["image"] = images[name]
        depends_on = service.get("depends_on") or {}
        service["depends_on"] = {other: how for other, how in depends_on.items() if other in kept}
    return json.dumps({**raw, "services": kept}, indent=1, sort_keys=True)


def merge_services(new: str, old: str, names: Collection[str]) -> str:
    """Replace the named services of the old project: what a partial deploy runs."""
    new_project, old_project = json.loads(new), json.loads(old)
    for section in ("services", "networks", "volumes", "secrets", "configs"):
        entries = new_project.get(section) or {}
        if section == "services":
            entries = {name: entries[name] for name in names if name in entries}
        if merged := {**(old_project.get(section) or {}), **entries}:
            new_project[section] = merged
    return json.dumps(new_project, indent=1, sort_keys=True)


def read_generated(text: str, profiles: Collection[str]) -> GeneratedProject:
    """Read a generated file."""
    rendered = read_rendered(text)
    services = tuple(sorted(active_services(rendered, profiles)))
    return GeneratedProject(text, digest_of(text, services), rendered, services)


def digest_of(text: str, services: tuple[str, ...]) -> str:
    return hashlib.sha256(f"{services}{text}".encode()).hexdigest()


def with_dependencies(generated: GeneratedProject, names: tuple[str, ...]) -> tuple[str, ...]:
    """Name these services and everything that they depend on."""
    selected: dict[str, None] = {}
    remaining = list(names)
    while remaining:
        name = remaining.pop()
        if name not in selected and name in generated.rendered.services:
            selected[name] = None
            remaining += generated.service(name).depends_on
    return tuple(sorted(selected))
