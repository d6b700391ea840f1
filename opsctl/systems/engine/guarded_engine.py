"""An engine that makes only the changes that were allowed beforehand, and refuses all others."""

import re
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

# Compose names a new container `<old id>_<name>` until the old one is removed.
TEMPORARY_PREFIX = re.compile(r"^[0-9a-f]{12}_")


class CallTarget(StrEnum):
    """What a call to the engine changes."""

    CONTAINER = "container"
    NETWORK = "network"
    VOLUME = "volume"
    IMAGE = "image"
    ENGINE = "engine"
    """Whatever belongs to nobody in particular: a clean-up, a build."""


class Action(StrEnum):
    CREATE = "create"
    START = "start"
    STOP = "stop"
    RESTART = "restart"
    KILL = "kill"
    REMOVE = "remove"
    RENAME = "rename"
    CONNECT = "connect"
    DISCONNECT = "disconnect"
    COPY = "copy files into"
    EXEC = "run a command in"


Actions = frozenset[str]
# Networks are connected, secrets are copied, and hooks are run around a start.
STARTING: Actions = frozenset({Action.START, Action.CONNECT, Action.COPY, Action.EXEC})
STOPPING: Actions = frozenset({Action.STOP, Action.KILL, Action.DISCONNECT, Action.EXEC})
CREATING: Actions = STARTING | {Action.CREATE}
RESTARTING: Actions = STARTING | STOPPING | {Action.RESTART}
REMOVING: Actions = STOPPING | {Action.REMOVE}
RECREATING: Actions = CREATING | REMOVING | {Action.RENAME, Action.RESTART}
REPLACING: Actions = frozenset({Action.CREATE, Action.REMOVE})
"""Of networks and volumes."""


@dataclass(frozen=True, slots=True)
class EngineCall:
    """One call that changes something."""

    target: CallTarget
    action: str
    name: str = ""
    service: str = ""
    """Of a container that compose made."""
    project: str = ""
    """Of anything that compose made."""

    @property
    def final_name(self) -> str:
        """The name of a container when it has replaced the one before."""
        return TEMPORARY_PREFIX.sub("", self.name)

    def __str__(self) -> str:
        target = "" if self.target is CallTarget.ENGINE else f" {self.target}"
        name = f" {self.final_name}" if self.name else ""
        service = f" (service {self.service})" if self.service else ""
        return f"{self.action}{target}{name}{service}"


@dataclass(frozen=True, slots=True)
class AllowedCalls:
    """The actions that are allowed on each container, network and volume, by name."""

    containers: Mapping[str, Actions] = field(default_factory=dict)
    networks: Mapping[str, Actions] = field(default_factory=dict)
    volumes: Mapping[str, Actions] = field(default_factory=dict)
    project: str = ""
    """If given, everything of this compose project may change, except that volumes stay."""


def is_allowed(call: EngineCall, allowed: AllowedCalls) -> bool:
    """Decide about one call; what is not allowed by name or by project is refused."""
    if allowed.project and call.project == allowed.project:
        is_removal = call.action == Action.REMOVE
        return not (call.target is CallTarget.VOLUME and is_removal)
    by_target: dict[CallTarget, Mapping[str, Actions]] = {
        CallTarget.CONTAINER: allowed.containers,
        CallTarget.NETWORK: allowed.networks,
        CallTarget.VOLUME: allowed.volumes,
    }
    actions = by_target.get(call.target, {})
    return call.action in actions.get(call.name, actions.get(call.final_name, frozenset()))


class GuardedEngine(Protocol):
    """The engine while it is guarded."""

    @property
    def address(self) -> str:
        """Where to reach it, e.g. for `docker -H`; only this user can."""
        ...

    @property
    def refused(self) -> tuple[EngineCall, ...]:
        """What was refused so far."""
        ...


class EngineGuard(Protocol):
    def guard(self, engine: str, allowed: AllowedCalls) -> AbstractContextManager[GuardedEngine]:
        """Guard the engine at this address until the block ends."""
        ...
