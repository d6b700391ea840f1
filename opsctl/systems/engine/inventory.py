"""What an engine has besides containers: images, networks and ports; and how to remove it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol


class RemovalResult(StrEnum):
    REMOVED = "removed"
    GONE = "gone"
    IN_USE = "in use"


@dataclass(frozen=True, slots=True)
class EngineFacts:
    id: str
    name: str
    """The machine that it runs on, by its own word."""
    root: str
    """Where it keeps images and volumes."""


@dataclass(frozen=True, slots=True)
class InventoryImage:
    id: str
    names: tuple[str, ...]
    digests: tuple[str, ...]
    size_bytes: int
    labels: Mapping[str, str] = field(default_factory=dict)
    manifests: tuple[str, ...] = ()
    """Digests of its content, one per platform that is here; empty where the engine has none."""
    fingerprint: str = ""
    """The same for two images that differ only in when they were built."""
    ports: tuple[int, ...] = ()
    """Ports that it exposes; only known of an image that was asked for by name."""
    volumes: tuple[str, ...] = ()
    """Folders in which it declares data; the same."""


@dataclass(frozen=True, slots=True)
class EngineNetwork:
    id: str
    name: str
    labels: Mapping[str, str] = field(default_factory=dict)
    created_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class PortPublisher:
    """A container that publishes a port of the host."""

    container: str
    project: str
    address: str
    port: int


@dataclass(frozen=True, slots=True)
class StoppedContainer:
    """A container that does not run."""

    id: str
    name: str
    state: str
    image_id: str
    labels: Mapping[str, str]
    size_bytes: int
    created_at: datetime


class Inventory(Protocol):
    def facts(self) -> EngineFacts: ...

    def image(self, name: str) -> InventoryImage | None: ...

    def list_images(self) -> tuple[InventoryImage, ...]:
        """List every image that has a name or is the end of a build."""
        ...

    def used_images(self) -> tuple[tuple[str, str], ...]:
        """Pair every container, in any state, with the image that it depends on."""
        ...

    def stopped(self) -> tuple[StoppedContainer, ...]: ...

    def project_networks(self, project: str) -> tuple[EngineNetwork, ...]:
        """List the networks that compose created for a project, in use or not."""
        ...

    def unused_networks(self) -> tuple[EngineNetwork, ...]: ...

    def volume_labels(self, name: str) -> Mapping[str, str] | None:
        """Read the labels of a volume; None if there is none of this name."""
        ...

    def network_labels(self, name: str) -> Mapping[str, str] | None: ...

    def publishers(self) -> tuple[PortPublisher, ...]: ...

    def tag(self, image: str, name: str) -> None: ...

    def remove_image(self, name: str) -> RemovalResult:
        """Remove one name, or an image without names; never by force."""
        ...

    def remove_network(self, network: str) -> RemovalResult: ...

    def remove_stopped(self, container: str) -> RemovalResult:
        """Remove a container that does not run; its volumes stay, those without a name too."""
        ...

    def drop_build_cache(self) -> int | None:
        """Clear the build cache; returns the freed bytes, None while another process clears it."""
        ...

    def pull(self, reference: str) -> None: ...


def split_reference(reference: str) -> tuple[str, str]:
    """Split a name from its tag or digest: `host:5000/app:1` has two colons."""
    name, at, digest = reference.partition("@")
    if at:
        return name, digest
    repository, _, tag = reference.rpartition(":")
    return (repository, tag) if repository and "/" not in tag else (reference, "latest")
