"""Checks from inside the container that its caps are enforced, for cgroup v1 and v2."""

from collections.abc import Iterator, Mapping

from opsctl.sandbox.model import NO_NETWORK, CappedLimits, CappedSpec
from opsctl.sandbox.parse_flags import SOCKETS

Facts = Mapping[str, str]
_V1 = "/sys/fs/cgroup"
_MEMORY_V1 = f"{_V1}/memory/memory.limit_in_bytes"
_SWAP_V1 = f"{_V1}/memory/memory.memsw.limit_in_bytes"
_MEMORY_V2 = "/sys/fs/cgroup/memory.max"
_SWAP_V2 = "/sys/fs/cgroup/memory.swap.max"
# A kernel counts in whole microseconds and whole pages.
_SLACK = 1.001


def failed_caps(facts: Facts, spec: CappedSpec) -> tuple[str, ...]:
    """List the caps that are not enforced; nothing may run before there is none."""
    return (
        *_memory(facts, spec.limits),
        *_cpu(facts, spec.limits),
        *_processes(facts, spec.limits),
        *_privileges(facts.get("/proc/self/status", "")),
        *_mounts(facts.get("/proc/self/mountinfo", "")),
        *(_network(facts) if spec.network == NO_NETWORK else ()),
    )


def _number(facts: Facts, name: str) -> int | None:
    """Read one figure; None when there is none, or when it says that there is no limit."""
    text = facts.get(name, "").strip()
    return int(text) if text.isdecimal() else None


def _memory(facts: Facts, limits: CappedLimits) -> Iterator[str]:
    is_new = _MEMORY_V2 in facts
    actual = _number(facts, _MEMORY_V2 if is_new else _MEMORY_V1)
    if actual is None or actual > limits.memory_bytes:
        yield f"memory is capped at {actual} bytes, not {limits.memory_bytes}"
    swap = _number(facts, _SWAP_V2 if is_new else _SWAP_V1)
    most = 0 if is_new else limits.memory_bytes
    if (swap is None or swap > most) and _has_swap(facts):
        yield "swap is not capped (the kernel may need swapaccount=1)"


def _has_swap(facts: Facts) -> bool:
    return len(facts.get("/proc/swaps", "head\nunknown").splitlines()) > 1


def _cpu(facts: Facts, limits: CappedLimits) -> Iterator[str]:
    if new := facts.get("/sys/fs/cgroup/cpu.max"):
        quota, _, period = new.strip().partition(" ")
    else:
        quota = facts.get(f"{_V1}/cpu/cpu.cfs_quota_us", "").strip()
        period = facts.get(f"{_V1}/cpu/cpu.cfs_period_us", "").strip()
    if not (quota.isdecimal() and period.isdecimal()):
        yield "the processor is not capped"
    elif int(quota) > limits.cpus * int(period) * _SLACK:
        yield f"the processor is capped at {int(quota) / int(period):g}, not {limits.cpus:g}"


def _processes(facts: Facts, limits: CappedLimits) -> Iterator[str]:
    new = _number(facts, "/sys/fs/cgroup/pids.max")
    actual = _number(facts, f"{_V1}/pids/pids.max") if new is None else new
    if actual is None or actual > limits.processes:
        yield f"processes are capped at {actual}, not {limits.processes}"


def _privileges(status: str) -> Iterator[str]:
    fields = dict(line.partition(":")[::2] for line in status.splitlines())
    if "0" in fields.get("Uid", "0").split():
        yield "it runs as root"
    if fields.get("NoNewPrivs", "").strip() != "1":
        yield "it may gain new privileges"
    for name in ("CapEff", "CapBnd"):
        if fields.get(name, "1").strip("0 \t"):
            yield f"it has capabilities ({name})"


def _mounts(mountinfo: str) -> Iterator[str]:
    rows = [line.split() for line in mountinfo.splitlines()]
    roots = [options for _, _, _, _, place, options, *_ in rows if place == "/"]
    if not roots or not all("ro" in options.split(",") for options in roots):
        yield "its root is writable"
    if any(word.endswith(SOCKETS) for row in rows for word in row[3:5]):
        yield "it sees the engine's socket"


def _network(facts: Facts) -> Iterator[str]:
    """Ask for routes, not for interfaces: some kernels put idle tunnels everywhere."""
    old = facts.get("/proc/net/route", "head\nunknown").splitlines()[1:]
    new = [line for line in facts.get("/proc/net/ipv6_route", "").splitlines() if line.split()]
    if old or any(line.split()[-1] != "lo" for line in new):
        yield "it has a way to a network"
