"""What a capped container is, in our words, and the same in the engine's."""

from typing import Any

from opsctl.systems.docker.capped_entrypoint import ROOM, entry
from opsctl.systems.engine.capped_container import NO_NETWORK, BindMount, CappedSpec

# Against 1024 of a container that nobody told otherwise: whoever else wants the processor has it.
LOW_SHARES = 128
SHARED_MEMORY_BYTES = 64 * 1024 * 1024
# What is short of memory on the host takes a test before anything else.
FIRST_TO_DIE = 1000
KEPT_OUTPUT = {"Type": "json-file", "Config": {"max-size": "1m", "max-file": "1"}}
# The engine's log would be a disk to fill.
NO_OUTPUT = {"Type": "none", "Config": {}}


def create_config(spec: CappedSpec) -> dict[str, Any]:
    """Say it as the engine's `create` wants it."""
    return {
        "Image": spec.image,
        "Entrypoint": entry(),
        "Cmd": list(spec.command),
        "Env": [f"{name}={value}" for name, value in spec.environment.items()],
        "User": spec.user,
        "WorkingDir": spec.workdir,
        "Labels": dict(spec.labels),
        # Its end is how the gate learns of ours.
        "OpenStdin": True,
        "StdinOnce": True,
        "AttachStdin": True,
        "AttachStdout": True,
        "AttachStderr": True,
        "Tty": False,
        "Healthcheck": {"Test": ["NONE"]},
        "HostConfig": _host(spec),
        "NetworkingConfig": _networking(spec),
    }


def _host(spec: CappedSpec) -> dict[str, Any]:
    limits = spec.limits
    return {
        "NanoCpus": int(limits.cpus * 1_000_000_000),
        "CpuShares": LOW_SHARES,
        "Memory": limits.memory_bytes,
        "MemorySwap": limits.memory_bytes,
        "PidsLimit": limits.processes,
        "OomScoreAdj": FIRST_TO_DIE,
        "ReadonlyRootfs": True,
        "Tmpfs": _writable(spec),
        "ShmSize": min(SHARED_MEMORY_BYTES, limits.tmp_bytes),
        "Mounts": [_mount(bind) for bind in spec.binds],
        "Privileged": False,
        "CapDrop": ["ALL"],
        "SecurityOpt": ["no-new-privileges:true"],
        "Ulimits": [{"Name": "core", "Soft": 0, "Hard": 0}],
        "CgroupnsMode": "private",
        "IpcMode": "private",
        "NetworkMode": spec.network,
        "RestartPolicy": {"Name": "no"},
        "LogConfig": KEPT_OUTPUT if spec.keeps_output else NO_OUTPUT,
        "Init": False,
        "AutoRemove": False,
    }


def _writable(spec: CappedSpec) -> dict[str, str]:
    safe = "rw,nosuid,nodev,mode=1777"
    room = f"{safe},exec,size={spec.limits.tmp_bytes}{_owned(spec.user)}"
    return dict.fromkeys(spec.writable, room) | {ROOM: f"{safe},noexec,size=65536"}


def _owned(user: str) -> str:
    """Make folders the user's own: some engines give them the mode that the image's have."""
    uid, _, gid = user.partition(":")
    return f",uid={uid},gid={gid}" if uid.isdecimal() and gid.isdecimal() else ""


def _mount(bind: BindMount) -> dict[str, Any]:
    return {
        "Type": "bind",
        "Source": str(bind.source),
        "Target": bind.target,
        "ReadOnly": not bind.writable,
        # What is mounted below it stays outside.
        "BindOptions": {"Propagation": "rprivate", "NonRecursive": True},
    }


def _networking(spec: CappedSpec) -> dict[str, Any]:
    if spec.network == NO_NETWORK:
        return {}
    aliases = [spec.alias] if spec.alias else []
    return {"EndpointsConfig": {spec.network: {"Aliases": aliases}}}
