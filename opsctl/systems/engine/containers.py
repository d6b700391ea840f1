"""The containers of an engine: list, inspect, restart and remove them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from opsctl.systems.engine.model import (
    Container,
    ContainerStats,
    EngineDisk,
    EngineVersion,
    Image,
)

LOG_LINES = 200


class Containers(Protocol):
    def version(self) -> EngineVersion: ...

    def now(self) -> datetime:
        """Ask the engine for its wall time."""
        ...

    def find(self, *labels: str) -> tuple[Container, ...]:
        """List containers in every state that carry all the labels (`key` or `key=value`)."""
        ...

    def inspect(self, container: str) -> Container | None: ...

    def environment(self, container: str) -> Mapping[str, str]:
        """Read its variables, secrets in clear: never show, log or store them."""
        ...

    def logs(self, container: str, *, lines: int = LOG_LINES) -> str: ...

    def stats(self, container: str) -> ContainerStats:
        """Measure a running container; takes a second or two."""
        ...

    def restart(self, container: str, *, stop_timeout_s: int | None = None) -> Container:
        """Restart it, also when it is stopped or paused; return its state afterwards.

        It has its own time to stop, unless one is given.
        """
        ...

    def unpause(self, container: str) -> None:
        """Let a paused container run on; one that is not paused stays as it is."""
        ...

    def remove(self, container: str, *, force: bool = False) -> None:
        """Remove it if it is there; volumes stay."""
        ...

    def image_id(self, name: str) -> str | None:
        """Return the id that a name points to now; None if there is no such image."""
        ...

    def images(self) -> tuple[Image, ...]: ...

    def disk_usage(self) -> EngineDisk: ...
