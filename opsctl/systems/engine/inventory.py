"""What an engine holds besides containers: images, networks, ports; and taking it away."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol


class Removal(StrEnum):
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
class StockImage:
    id: str
    names: tuple[str, ...]
    digests: tuple[str, ...]
    size_bytes: int
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Network:
    id: str
    name: str
    labels: Mapping[str, str] = field(default_factory=dict)
    created_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Publisher:
    """A container that holds a port of the host."""

    container: str
    project: str
    address: str
    port: int


@dataclass(frozen=True, slots=True)
class Stopped:
    """A container that does not run."""

    id: str
    name: str
    state: str
    image_id: str
    labels: Mapping[str, str]
    size_bytes: int
    created_at: datetime


class Stock(Protocol):
    def facts(self) -> EngineFacts: ...

    def image(self, name: str) -> StockImage | None: ...

    def stock(self) -> tuple[StockImage, ...]:
        """List every image that has a name or is the end of a build."""
        ...

    def used_images(self) -> tuple[tuple[str, str], ...]:
        """Pair every container, in any state, with the image that it stands on."""
        ...

    def stopped(self) -> tuple[Stopped, ...]: ...

    def unused_networks(self) -> tuple[Network, ...]: ...

    def publishers(self) -> tuple[Publisher, ...]: ...

    def tag(self, image: str, name: str) -> None: ...

    def remove_image(self, name: str) -> Removal:
        """Take away one name, or an image without names; never by force."""
        ...

    def remove_network(self, network: str) -> Removal: ...

    def remove_stopped(self, container: str) -> Removal:
        """Remove a container that does not run; its volumes stay, those without a name too."""
        ...

    def drop_build_cache(self) -> int | None:
        """Forget what builds left; how many bytes came free, or None while another clears it."""
        ...

    def pull(self, reference: str) -> None: ...


def split_reference(reference: str) -> tuple[str, str]:
    """Part a name from its tag or digest: `host:5000/app:1` has two colons."""
    name, at, digest = reference.partition("@")
    if at:
        return name, digest
    repository, _, tag = reference.rpartition(":")
    return (repository, tag) if repository and "/" not in tag else (reference, "latest")
