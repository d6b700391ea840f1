"""What a container engine tells, in our words; read from its answers without asking it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

STOPPED = frozenset({"created", "exited", "dead"})
# The first protocol in which an engine adds up itself what a clean-up can free.
DISK_USAGE_API = "1.52"


@dataclass(frozen=True, slots=True)
class EngineVersion:
    engine: str
    api: str
    system: str
    machine: str


@dataclass(frozen=True, slots=True)
class PublishedPort:
    """A port of a running container that the host hands on."""

    address: str
    port: int
    target: int
    protocol: str = "tcp"


@dataclass(frozen=True, slots=True)
class Container:
    id: str
    name: str
    image_id: str
    image: str
    """The image name it was started from; the name may point to another image now."""
    state: str
    """created, running, paused, restarting, removing, exited or dead."""
    labels: Mapping[str, str] = field(default_factory=dict)
    health: str | None = None
    """healthy, unhealthy or starting; None without a health check."""
    restart_count: int = 0
    started_at: datetime | None = None
    finished_at: datetime | None = None
    exit_code: int = 0
    was_out_of_memory: bool = False
    published: tuple[PublishedPort, ...] = ()
    memory_limit_bytes: int = 0
    """0: without a limit, as for the processors."""
    cpu_limit: float = 0.0
    is_privileged: bool = False
    network_mode: str = ""
    image_manifest: str = ""
    """Digest of the image's content for this platform; empty where the engine does not say."""


@dataclass(frozen=True, slots=True)
class Image:
    id: str
    names: tuple[str, ...]
    size_bytes: int
    created_at: datetime
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class EngineDisk:
    images_bytes: int
    containers_bytes: int
    volumes_bytes: int
    build_cache_bytes: int
    unused_images_bytes: int = 0
    """Of images that no container was made from."""
    stopped_containers_bytes: int = 0
    unused_cache_bytes: int = 0


@dataclass(frozen=True, slots=True)
class ContainerStats:
    cpu_percent: float
    """100 is one processor, fully used."""
    memory_bytes: int
    """Without the page cache, which the kernel frees when it must."""
    memory_limit_bytes: int
    processes: int


def read_container(raw: Mapping[str, Any]) -> Container:
    """Read the output of `inspect`."""
    state, host = raw["State"], raw.get("HostConfig") or {}
    return Container(
        id=raw["Id"],
        name=raw["Name"].removeprefix("/"),
        image_id=raw["Image"],
        image=raw["Config"]["Image"],
        state=state["Status"],
        labels=raw["Config"]["Labels"] or {},
        health=_health(state.get("Health")),
        restart_count=raw["RestartCount"],
        started_at=read_time(state["StartedAt"]),
        finished_at=read_time(state["FinishedAt"]),
        exit_code=state["ExitCode"],
        was_out_of_memory=state["OOMKilled"],
        published=tuple(_published((raw.get("NetworkSettings") or {}).get("Ports") or {})),
        memory_limit_bytes=host.get("Memory") or 0,
        cpu_limit=_cpu_limit(host),
        is_privileged=bool(host.get("Privileged")),
        network_mode=host.get("NetworkMode") or "",
        image_manifest=(raw.get("ImageManifestDescriptor") or {}).get("digest") or "",
    )


def _published(ports: Mapping[str, Any]) -> Iterator[PublishedPort]:
    """Read `{"6379/tcp": [{"HostIp": "", "HostPort": "6379"}]}`; None where it is only exposed."""
    for inside, bindings in ports.items():
        target, _, protocol = inside.partition("/")
        for one in bindings or ():
            yield PublishedPort(one["HostIp"], int(one["HostPort"]), int(target), protocol or "tcp")


def _cpu_limit(host: Mapping[str, Any]) -> float:
    quota, period = host.get("CpuQuota") or 0, host.get("CpuPeriod") or 100_000
    return (host.get("NanoCpus") or 0) / 1e9 or max(0.0, quota / period)


def _health(raw: Mapping[str, Any] | None) -> str | None:
    status: str = raw["Status"] if raw else "none"
    return None if status in {"", "none"} else status


def read_time(text: str) -> datetime | None:
    """Read a time of the engine, whose year 1 means never."""
    moment = datetime.fromisoformat(text)
    return moment if moment.year > 1 else None


def read_stats(raw: Mapping[str, Any]) -> ContainerStats:
    now, before, memory = raw["cpu_stats"], raw["precpu_stats"], raw["memory_stats"]
    used = now["cpu_usage"]["total_usage"] - before["cpu_usage"]["total_usage"]
    passed = now.get("system_cpu_usage", 0) - before.get("system_cpu_usage", 0)
    processors = now.get("online_cpus") or 1
    detail = memory.get("stats", {})
    # The first name is cgroup v1's, the second v2's.
    cache = detail.get("total_inactive_file", detail.get("inactive_file", 0))
    return ContainerStats(
        cpu_percent=100 * processors * used / passed if passed > 0 else 0.0,
        memory_bytes=max(0, memory.get("usage", 0) - cache),
        memory_limit_bytes=memory.get("limit", 0),
        processes=raw.get("pids_stats", {}).get("current", 0),
    )


def read_disk(raw: Mapping[str, Any]) -> EngineDisk:
    volumes = (volume.get("UsageData") or {} for volume in raw.get("Volumes") or ())
    containers, caches = raw.get("Containers") or (), raw.get("BuildCache") or ()
    images_bytes = raw.get("LayersSize") or 0
    return EngineDisk(
        images_bytes=images_bytes,
        containers_bytes=sum(one.get("SizeRw", 0) for one in containers),
        # -1 where a driver cannot tell.
        volumes_bytes=sum(max(0, usage.get("Size", 0)) for usage in volumes),
        build_cache_bytes=sum(one["Size"] for one in caches if not one.get("Shared")),
        unused_images_bytes=_unused_images_bytes(raw, images_bytes),
        stopped_containers_bytes=sum(
            one.get("SizeRw", 0) for one in containers if one.get("State") in STOPPED
        ),
        unused_cache_bytes=sum(
            one["Size"] for one in caches if not one.get("Shared") and not one.get("InUse")
        ),
    )


def _unused_images_bytes(raw: Mapping[str, Any], images_bytes: int) -> int:
    """Believe an engine that adds it up: by its lists, a layer that two images share is unused."""
    summed = raw.get("ImageUsage")
    if summed is not None:
        # Nothing is left out of the answer rather than told as 0.
        return int(summed.get("Reclaimable", 0))
    return max(0, images_bytes - _used_by_containers(raw))


def _used_by_containers(raw: Mapping[str, Any]) -> int:
    """Count as the engine's own `system df` does: -1 stands for what it does not know."""
    if raw.get("Images") is None:
        return raw.get("LayersSize") or 0
    return sum(
        image["Size"] - image["SharedSize"]
        for image in raw["Images"]
        if image.get("Containers") and image["Size"] != -1 and image["SharedSize"] != -1
    )


def read_image(raw: Mapping[str, Any]) -> Image:
    return Image(
        id=raw["Id"],
        names=tuple(name for name in raw["RepoTags"] or () if name != "<none>:<none>"),
        size_bytes=raw["Size"],
        created_at=datetime.fromtimestamp(raw["Created"], UTC),
        labels=raw["Labels"] or {},
    )


def choose_api_version(newest: str, oldest: str, *, ours: str) -> str:
    """Choose the protocol: the newest that both sides know."""
    return max(min(newest, ours, key=_parts), oldest, key=_parts)


def choose_disk_usage_api(newest: str, *, chosen: str) -> str:
    """Choose the first protocol that tells what can be freed, where the engine speaks it."""
    if _parts(newest) < _parts(DISK_USAGE_API):
        return chosen
    return max(chosen, DISK_USAGE_API, key=_parts)


def _parts(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))
