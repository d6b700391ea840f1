"""A container engine in memory: containers are what they are said to be."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from opsctl.errors import OpsctlError, UnreachableError
from opsctl.systems.engine.model import Container, ContainerStats, EngineDisk, EngineVersion, Image

START = datetime(2024, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class MemoryContainers:
    running: dict[str, Container] = field(default_factory=dict)
    """By id; add and replace as the test needs."""
    environments: dict[str, dict[str, str]] = field(default_factory=dict)
    said: dict[str, str] = field(default_factory=dict)
    measured: dict[str, ContainerStats] = field(default_factory=dict)
    known_images: tuple[Image, ...] = ()
    disk: EngineDisk = field(default_factory=lambda: EngineDisk(0, 0, 0, 0))
    wall: datetime = START
    is_away: bool = False
    """Nothing answers."""
    restarted: list[str] = field(default_factory=list)

    def add(self, container: Container) -> None:
        self.running[container.id] = container

    def version(self) -> EngineVersion:
        self._reach("cannot read the version of the container engine")
        return EngineVersion("27.0.0", "1.45", "linux", "amd64")

    def now(self) -> datetime:
        self._reach("cannot read the time of the container engine")
        return self.wall

    def find(self, *labels: str) -> tuple[Container, ...]:
        self._reach("cannot list the containers")
        found = (one for one in self.running.values() if _carries(one, labels))
        return tuple(sorted(found, key=lambda one: one.name))

    def inspect(self, container: str) -> Container | None:
        self._reach(f"cannot inspect container {container}")
        known = self.running.values()
        return next((one for one in known if container in {one.id, one.name}), None)

    def environment(self, container: str) -> Mapping[str, str]:
        found = self._present(container, f"cannot read the environment of {container}")
        return self.environments.get(found.id, {})

    def logs(self, container: str, *, lines: int = 200) -> str:
        found = self._present(container, f"cannot read the logs of {container}")
        return "".join(self.said.get(found.id, "").splitlines(keepends=True)[-lines:])

    def stats(self, container: str) -> ContainerStats:
        return self.measured[self._present(container, f"cannot measure {container}").id]

    def restart(self, container: str, *, stop_timeout_s: int | None = None) -> Container:
        del stop_timeout_s  # this engine stops at once
        found = self._present(container, f"cannot restart {container}")
        self.restarted.append(found.name)
        self.wall += timedelta(seconds=1)
        self.add(replace(found, state="running", started_at=self.wall))
        return self.running[found.id]

    def unpause(self, container: str) -> None:
        found = self._present(container, f"cannot unpause container {container}")
        if found.state == "paused":
            self.add(replace(found, state="running"))

    def remove(self, container: str, *, force: bool = False) -> None:
        found = self.inspect(container)
        if found is None:
            return
        if found.state == "running" and not force:
            raise OpsctlError(f"cannot remove container {container}", why="it is running")
        del self.running[found.id]

    def image_id(self, name: str) -> str | None:
        self._reach(f"cannot inspect image {name}")
        return next((one.id for one in self.known_images if name in {one.id, *one.names}), None)

    def images(self) -> tuple[Image, ...]:
        self._reach("cannot list the images")
        return self.known_images

    def disk_usage(self) -> EngineDisk:
        self._reach("cannot read the disk usage of the container engine")
        return self.disk

    def _present(self, container: str, what: str) -> Container:
        found = self.inspect(container)
        if found is None:
            raise OpsctlError(what, why="there is no such container")
        return found

    def _reach(self, what: str) -> None:
        if self.is_away:
            raise UnreachableError(what, why="there is no container engine at memory:")


def _carries(container: Container, labels: tuple[str, ...]) -> bool:
    carried = {f"{key}={value}" for key, value in container.labels.items()} | {*container.labels}
    return carried.issuperset(labels)
