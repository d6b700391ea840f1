"""What compose will do to each container, network and volume; read from its dry run, pure."""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from opsctl.systems.engine.compose import DryRun, DryRunEnd, DryRunEvent

# Compose names a new container `<id of the old one>_<name>` until the old one is removed.
TEMPORARY_PREFIX = re.compile(r"[0-9a-f]{12}_(?=.)")
# `Created` alone stands for an exited container, which is started later.
STARTS = frozenset(
    {"Created", "Restart", "Restarted", "Starting", "Started", "Stopping", "Stopped"}
)


class ResourceKind(StrEnum):
    CONTAINER = "container"
    NETWORK = "network"
    VOLUME = "volume"


class ActionKind(StrEnum):
    CREATE = "create"
    """And start, for a container."""
    RECREATE = "recreate"
    START = "start"
    """A container that does not run now; one that restarts by itself is not listed."""
    STOP_AND_START = "stop and start"
    """The same container, because of a network or of `restart: true`."""
    REMOVE = "remove"


@dataclass(frozen=True, slots=True)
class ComposeAction:
    """What happens to one resource; one that is left alone has no action."""

    kind: ResourceKind
    name: str
    """Under a new name, a container is removed under the old one, and recreated."""
    action: ActionKind
    service: str = ""
    """The service of a container."""


@dataclass(frozen=True, slots=True)
class ComposeActions:
    """Everything that the coming `up` does."""

    actions: tuple[ComposeAction, ...] = ()
    was_asked: bool = True
    """False: compose gave no complete answer, and this is our own reading."""
    complaint: str = ""
    """Why compose gave no complete answer."""

    def of_kind(self, kind: ResourceKind) -> Mapping[str, ActionKind]:
        """Map the names of the containers, networks or volumes to what happens to them."""
        return {found.name: found.action for found in self.actions if found.kind is kind}

    def of_service(self, service: str) -> tuple[ComposeAction, ...]:
        return tuple(found for found in self.actions if found.service == service)


@dataclass(frozen=True, slots=True)
class ProjectState:
    """What compose's words are read against: what is there now, and what shall be there."""

    project: str
    services: Mapping[str, str] = field(default_factory=dict)
    """Existing container to its service."""
    running: frozenset[str] = frozenset()
    """Containers that run, or restart by themselves."""
    wanted: Mapping[str, str] = field(default_factory=dict)
    """Services of the coming `up`, each with its `container_name` or an empty text."""
    networks: frozenset[str] = frozenset()
    """Networks of the coming `up`, by name."""


def read_actions(dry_run: DryRun, state: ProjectState) -> ComposeActions:
    """Read what a dry run says, whichever version of compose said it."""
    words: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for event in dry_run.events:
        words[event.kind][_permanent_name(event, state)].add(event.word)
    actions = [
        *_read_containers(words["Container"], state),
        *_read_networks(words["Network"], state),
        *_read_volumes(words["Volume"]),
    ]
    if dry_run.end is DryRunEnd.WAITING:
        actions += _start_the_rest(actions, state)
    was_asked = dry_run.end in {DryRunEnd.COMPLETE, DryRunEnd.WAITING}
    ordered = tuple(sorted(actions, key=lambda action: (action.kind, action.name)))
    return ComposeActions(ordered, was_asked, dry_run.complaint)


def _permanent_name(event: DryRunEvent, state: ProjectState) -> str:
    if event.name in state.services:
        return event.name
    return TEMPORARY_PREFIX.sub("", event.name, count=1)


def _read_containers(
    words: Mapping[str, Collection[str]], state: ProjectState
) -> Iterable[ComposeAction]:
    for name, said in words.items():
        action = _read_container(name, said, state)
        service = state.services.get(name) or _service_of(name, state)
        new_name = _new_name(name, service, state)
        if action is ActionKind.RECREATE and new_name != name:
            yield ComposeAction(ResourceKind.CONTAINER, name, ActionKind.REMOVE, service)
            yield ComposeAction(ResourceKind.CONTAINER, new_name, action, service)
        elif action is not None:
            yield ComposeAction(ResourceKind.CONTAINER, name, action, service)


def _new_name(name: str, service: str, state: ProjectState) -> str:
    """Name what a recreated container is called afterwards: its `container_name` may change."""
    default = f"{state.project}-{service}"
    if service not in state.wanted:
        return name
    if state.wanted[service]:
        return state.wanted[service]
    return name if re.fullmatch(rf"{re.escape(default)}-\d+", name) else f"{default}-1"


def _read_container(name: str, said: Collection[str], state: ProjectState) -> ActionKind | None:
    is_new = name not in state.services
    if "Recreate" in said:
        return ActionKind.RECREATE
    if "Creating" in said:
        return ActionKind.CREATE if is_new else ActionKind.RECREATE
    if "Removing" in said:
        return ActionKind.REMOVE
    if is_new:
        # Only started, under the name that a recreated container gets.
        return None
    if name not in state.running:
        return None if STARTS.isdisjoint(said) else ActionKind.START
    return ActionKind.STOP_AND_START if "Stopping" in said or "Stopped" in said else None


def _service_of(name: str, state: ProjectState) -> str:
    for service, container_name in state.wanted.items():
        if container_name == name:
            return service
    stem = name.removeprefix(f"{state.project}-").rpartition("-")[0]
    return stem if stem in state.wanted else ""


def _read_networks(
    words: Mapping[str, Collection[str]], state: ProjectState
) -> Iterable[ComposeAction]:
    for name, said in words.items():
        is_removed, is_created = "Removing" in said or "Removed" in said, "Creating" in said
        if is_removed and (is_created or name in state.networks):
            # Compose 2.40 does not mention that it creates it again.
            yield ComposeAction(ResourceKind.NETWORK, name, ActionKind.RECREATE)
        elif is_removed or is_created:
            action = ActionKind.REMOVE if is_removed else ActionKind.CREATE
            yield ComposeAction(ResourceKind.NETWORK, name, action)


def _read_volumes(words: Mapping[str, Collection[str]]) -> Iterable[ComposeAction]:
    for name, said in words.items():
        if "Creating" in said:
            action = ActionKind.RECREATE if "Removing" in said else ActionKind.CREATE
            yield ComposeAction(ResourceKind.VOLUME, name, action)


def _start_the_rest(
    actions: Iterable[ComposeAction], state: ProjectState
) -> Iterable[ComposeAction]:
    """The dry run stopped where the starts begin: whatever does not run is started."""
    named = {found.name for found in actions if found.kind is ResourceKind.CONTAINER}
    for name, service in state.services.items():
        if service in state.wanted and name not in state.running | named:
            yield ComposeAction(ResourceKind.CONTAINER, name, ActionKind.START, service)
