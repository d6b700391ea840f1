"""What the container engine takes of the disk, and what of that `opsctl prune` gives back."""

from pathlib import Path

from opsctl.disk.context import Parts
from opsctl.disk.model import Share
from opsctl.errors import OpsctlError
from opsctl.systems.deadline import Deadline, within
from opsctl.systems.engine.model import EngineDisk


def engine_shares(parts: Parts, notes: list[str]) -> tuple[Share, ...]:
    """Ask for no longer than settings allow; an engine that is away has no share."""
    limit_s = parts.settings.disk.engine_limit_s
    deadline = Deadline.after(parts.clock, limit_s)
    try:
        disk = within(deadline, parts.containers.disk_usage)
    except TimeoutError:
        notes.append(f"the container engine did not add up what it takes within {limit_s:g} s")
        return ()
    except OpsctlError as error:
        notes.append(f"{error.what}: {error.why}")
        return ()
    return (*shares(disk), *_logs(parts, deadline, notes))


def shares(disk: EngineDisk) -> tuple[Share, ...]:
    """Volumes are data: no prune ever takes them."""
    return (
        Share("images", disk.images_bytes, disk.unused_images_bytes),
        Share("containers", disk.containers_bytes, disk.stopped_containers_bytes),
        Share("volumes", disk.volumes_bytes, 0),
        Share("build cache", disk.build_cache_bytes, disk.unused_cache_bytes),
    )


def _logs(parts: Parts, deadline: Deadline, notes: list[str]) -> tuple[Share, ...]:
    """The engine does not count the logs of its containers; they lie beside their settings."""
    place = Path(parts.settings.disk.engine_dir) / "containers"
    try:
        sizes = parts.folders.sizes(place, limit_s=deadline.left_s())
    except OpsctlError as error:
        notes.append(f"the logs of containers were not added up: {error.why or error.what}")
        return ()
    return (Share("container logs", sum(size.size_bytes for size in sizes), 0),)
