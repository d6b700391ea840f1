"""What gives a container control of its host: paths, capabilities and devices."""

from pathlib import PurePosixPath

SOCKET_NAMES = frozenset({"docker.sock", "containerd.sock", "podman.sock", "crio.sock"})
# Folders count as well: whoever mounts one has the socket in it.
SOCKET_FOLDERS = frozenset(
    {"/", "/var", "/run", "/run/docker", "/run/containerd", "/run/podman", "/run/user"}
)
_CLOSED = frozenset(
    {"/etc", "/dev", "/root", "/boot", "/var/lib", "/var/lib/docker", "/var/lib/docker/volumes"}
    | {"/var/lib/containerd", "/etc/shadow", "/etc/ssh", "/root/.ssh"}
)
# Metrics and logs are read from these; written, they change the host.
_READABLE = frozenset(
    {"/proc", "/proc/sys", "/sys", "/usr", "/lib", "/lib64", "/bin", "/sbin", "/etc/passwd"}
    | {"/etc/group", "/etc/sudoers", "/etc/sudoers.d", "/etc/pam.d", "/etc/cron.d"}
    | {"/etc/crontab", "/etc/systemd", "/etc/systemd/system", "/etc/docker"}
    | {"/etc/ld.so.preload", "/etc/profile.d", "/var/lib/docker/containers"}
)
_CAPABILITIES = frozenset(
    {"ALL", "BPF", "DAC_READ_SEARCH", "SYS_ADMIN", "SYS_MODULE", "SYS_RAWIO", "PERFMON"}
)
_DISKS = ("/dev/sd", "/dev/vd", "/dev/xvd", "/dev/hd", "/dev/nvme", "/dev/mmcblk", "/dev/dm-")
_DISK_FOLDERS = ("/dev/disk", "/dev/mapper", "/dev/md", "/dev/loop", "/dev/block")
_MEMORY = frozenset({"/dev", "/dev/mem", "/dev/kmem", "/dev/port"})


def fold_path(path: str) -> str:
    """Say a path without `..`, and with /run for /var/run, which links to it."""
    parts: list[str] = []
    for part in PurePosixPath(path).parts[1:]:
        if part == "..":
            parts = parts[:-1]
        elif part != ".":
            parts.append(part)
    if parts[:2] == ["var", "run"]:
        parts = parts[1:]
    return f"/{'/'.join(parts)}"


def holds_socket(path: str, socket: str = "") -> bool:
    """Whether the engine's socket is at this path of the host, or in this folder."""
    folded = fold_path(path)
    if folded in SOCKET_FOLDERS or PurePosixPath(folded).name in SOCKET_NAMES:
        return True
    return bool(socket) and PurePosixPath(fold_path(socket)).is_relative_to(folded)


def gives_control(path: str, *, is_read_only: bool) -> bool:
    """Whether a container with this path of the host can take over the host."""
    folded = fold_path(path)
    return folded in _CLOSED or (folded in _READABLE and not is_read_only)


def is_powerful_capability(capability: str) -> bool:
    return capability.upper().removeprefix("CAP_") in _CAPABILITIES


def is_powerful_device(device: str) -> bool:
    """Whether this is a disk or the memory: not a terminal, a GPU, /dev/fuse or /dev/net/tun."""
    path = fold_path(device.partition(":")[0])
    return path in _MEMORY or path.startswith((*_DISKS, *_DISK_FOLDERS))


def opens_disks(cgroup_rule: str) -> bool:
    """Whether a rule of `device_cgroup_rules` is about block devices."""
    return cgroup_rule.strip()[:1] in {"a", "b"}
