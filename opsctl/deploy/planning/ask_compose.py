"""Asks compose what the coming `up` would do, with exactly its file, its names and its words."""

import json
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from opsctl.deploy.model import GeneratedProject, ServiceContainer
from opsctl.deploy.planning.compose_actions import ComposeActions, ProjectState, read_actions
from opsctl.systems.engine.compose import UpOptions

if TYPE_CHECKING:
    from opsctl.deploy.context import DeployContext

RELEASE_FILES = "releases"
CHANGED_LABEL = "opsctl.changed"


def up_options(services: tuple[str, ...], *, remove_orphans: bool, limit_s: float) -> UpOptions:
    """Write the words of `up`. Without names compose scales down as well, also to 0."""
    return UpOptions(
        services=services, wait_timeout_s=None, remove_orphans=remove_orphans, limit_s=limit_s
    )


def ask_compose(
    context: "DeployContext",
    generated: GeneratedProject,
    services: tuple[str, ...],
    containers: Iterable[ServiceContainer],
    *,
    changed: Collection[str] = (),
) -> ComposeActions:
    """Ask for `up`; `changed` services count as changed, for images that are not there yet."""
    options = up_options(services, remove_orphans=not services, limit_s=0.0)
    text = mark_changed(generated.text, changed) if changed else generated.text
    with draft_file(context, text, "ask-changed" if changed else "ask") as file:
        dry_run = context.compose.dry_run(context.target.compose_project(file), options)
    return read_actions(
        dry_run, describe_state(context.target.project, generated, services, containers)
    )


def mark_changed(text: str, services: Collection[str]) -> str:
    """Add a label to services, so that compose takes them for changed."""
    raw = json.loads(text)
    for name in services:
        service = raw["services"][name]
        service["labels"] = {**(service.get("labels") or {}), CHANGED_LABEL: "true"}
    return json.dumps(raw, indent=1, sort_keys=True)


def describe_state(
    project: str,
    generated: GeneratedProject,
    services: tuple[str, ...],
    containers: Iterable[ServiceContainer],
) -> ProjectState:
    existing = {found.container.name: found for found in containers}
    running = {"running", "restarting"}
    return ProjectState(
        project=project,
        services={name: found.service for name, found in existing.items()},
        running=frozenset(n for n, found in existing.items() if found.container.state in running),
        wanted={
            name: generated.service(name).container_name for name in services or generated.services
        },
        networks=frozenset(generated.rendered.networks.values()),
    )


@contextmanager
def draft_file(context: "DeployContext", text: str, purpose: str) -> Iterator[Path]:
    """Write a project where only this process looks, and remove it again."""
    folder = context.state_directory / RELEASE_FILES
    context.files.make_private_dir(folder)
    path = folder / f"{purpose}-{context.target.env}-{context.actor.pid}.json"
    context.files.write_text(path, text)
    try:
        yield path
    finally:
        context.files.remove(path)
