"""Measures the disk space that the container engine uses, and what `opsctl prune` frees."""

from pathlib import Path

from opsctl.disk.context import DiskContext
from opsctl.errors import OpsctlError
from opsctl.health_rules.disk import EngineUsage
from opsctl.systems.deadline import Deadline, within
from opsctl.systems.engine.model import EngineDisk


def measure_engine(context: DiskContext, notes: list[str]) -> tuple[EngineUsage, ...]:
    """Wait no longer than settings allow; an unavailable engine has no usage."""
    limit_s = context.settings.disk.engine_limit_s
    deadline = Deadline.after(context.clock, limit_s)
    try:
        disk = within(deadline, context.containers.disk_usage)
    except TimeoutError:
        notes.append(f"the container engine did not report its disk usage within {limit_s:g} s")
        return ()
    except OpsctlError as error:
        notes.append(f"{error.what}: {error.why}")
        return ()
    return (*usage_by_kind(disk), *_measure_container_logs(context, deadline, notes))


def usage_by_kind(disk: EngineDisk) -> tuple[EngineUsage, ...]:
    """Volumes are data: no prune ever removes them."""
    return (
        EngineUsage("images", disk.images_bytes, disk.unused_images_bytes),
        EngineUsage("containers", disk.containers_bytes, disk.stopped_containers_bytes),
        EngineUsage("volumes", disk.volumes_bytes, 0),
        EngineUsage("build cache", disk.build_cache_bytes, disk.unused_cache_bytes),
    )


def _measure_container_logs(
    context: DiskContext, deadline: Deadline, notes: list[str]
) -> tuple[EngineUsage, ...]:
    """Measure the container logs, which the engine does not count."""
    folder = Path(context.settings.disk.engine_dir) / "containers"
    try:
        sizes = context.folders.sizes(folder, limit_s=deadline.left_s())
    except OpsctlError as error:
        notes.append(f"the container logs were not measured: {error.why or error.what}")
        return ()
    return (EngineUsage("container logs", sum(size.size_bytes for size in sizes), 0),)
