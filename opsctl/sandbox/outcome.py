"""Tells how a command ended: by a cap, a signal, a timeout, or by itself."""

from collections.abc import Mapping

from opsctl.findings import Figure, Finding, Level
from opsctl.sandbox.model import MEBI, CommandOutcome, ResourceUse, SandboxRun, SandboxVerdict
from opsctl.systems.docker.capped_entrypoint import RUN_FOLDER, read_shown
from opsctl.systems.engine.capped_container import ResourceSample
from opsctl.units import format_bytes

# As timeout(1) has it.
LATE_CODE = 124
KILLED_CODE = 137
_V1 = "/sys/fs/cgroup"
MOMENT_S = 1.0
# From here on a cap is as good as reached.
NEAR = 0.9


def parse_last_words(text: str) -> tuple[int, bool, ResourceUse] | None:
    """Parse the entrypoint's last report: exit code, whether a signal ended it, figures."""
    code, _, shown = text.partition("\n")
    if not code.isdecimal():
        return None
    facts = read_shown(shown)
    return (
        int(code),
        bool(facts.get(f"{RUN_FOLDER}/shell-messages", "").strip()),
        read_figures(facts),
    )


def read_figures(facts: Mapping[str, str]) -> ResourceUse:
    """Read the cgroup's own account, of either version."""
    if "/sys/fs/cgroup/cpu.stat" in facts:
        cpu = _pairs(facts.get("/sys/fs/cgroup/cpu.stat", ""))
        return ResourceUse(
            peak_memory_bytes=_parse_int(facts.get("/sys/fs/cgroup/memory.peak")),
            cpu_s=_scaled(cpu.get("usage_usec"), 1e6),
            throttled_s=_scaled(cpu.get("throttled_usec"), 1e6),
            out_of_memory_kills=_pairs(facts.get("/sys/fs/cgroup/memory.events", "")).get(
                "oom_kill"
            ),
            peak_processes=_parse_int(facts.get("/sys/fs/cgroup/pids.peak")),
            refused_forks=_pairs(facts.get("/sys/fs/cgroup/pids.events", "")).get("max"),
        )
    cpu = _pairs(facts.get(f"{_V1}/cpu/cpu.stat", ""))
    return ResourceUse(
        peak_memory_bytes=_parse_int(facts.get(f"{_V1}/memory/memory.max_usage_in_bytes")),
        cpu_s=_scaled(_parse_int(facts.get(f"{_V1}/cpuacct/cpuacct.usage")), 1e9),
        throttled_s=_scaled(cpu.get("throttled_time"), 1e9),
        out_of_memory_kills=_pairs(facts.get(f"{_V1}/memory/memory.oom_control", "")).get(
            "oom_kill"
        ),
        peak_processes=_parse_int(facts.get(f"{_V1}/pids/pids.peak")),
        refused_forks=_pairs(facts.get(f"{_V1}/pids/pids.events", "")).get("max"),
    )


def use_from_sample(sample: ResourceSample | None) -> ResourceUse:
    """Use the engine's figures where the entrypoint could not report any."""
    if sample is None:
        return ResourceUse()
    return ResourceUse(sample.peak_memory_bytes, sample.cpu_s, sample.throttled_s)


def judge(ended: CommandOutcome) -> SandboxVerdict:
    if ended.was_late:
        return SandboxVerdict.TIMED_OUT
    kills = ended.figures.out_of_memory_kills
    starved = ended.was_out_of_memory if kills is None else kills > 0
    killed = ended.by_signal and ended.exit_code == KILLED_CODE
    if starved:
        return SandboxVerdict.OUT_OF_MEMORY if killed else SandboxVerdict.CHILD_OUT_OF_MEMORY
    if ended.by_signal:
        return SandboxVerdict.KILLED
    return SandboxVerdict.FAILED if ended.exit_code else SandboxVerdict.PASSED


def exit_code_of(ended: CommandOutcome) -> int:
    """Say the exit code to leave with: the command's own, unless its time was up."""
    return LATE_CODE if ended.was_late else ended.exit_code


def run_finding(run: SandboxRun) -> Finding:
    """Say a run as a finding, its figures beside their caps."""
    level = Level.OK if run.verdict is SandboxVerdict.PASSED else Level.CRITICAL
    if run.verdict is SandboxVerdict.CHILD_OUT_OF_MEMORY and not run.exit_code:
        level = Level.WARNING
    what = "; ".join((_describe_outcome(run), *near_limits(run)))
    return Finding(run.image, level, what, fix=_FIXES.get(run.verdict, ""), figures=_figures(run))


_FIXES = {
    SandboxVerdict.OUT_OF_MEMORY: "Reduce what it needs, or split it: the cap cannot be raised.",
    SandboxVerdict.CHILD_OUT_OF_MEMORY: "Start fewer workers, or reduce what each needs.",
    SandboxVerdict.TIMED_OUT: "Raise --timeout or sandbox.timeout_s, or make it faster.",
}


def _describe_outcome(run: SandboxRun) -> str:
    if run.verdict is SandboxVerdict.PASSED:
        return f"passed in {run.wall_s:.1f} s"
    return f"{run.verdict} (exit code {run.exit_code}) after {run.wall_s:.1f} s"


def near_limits(run: SandboxRun) -> tuple[str, ...]:
    """Name the caps that were as good as reached."""
    figures, limits = run.figures, run.limits
    peak, kills = figures.peak_memory_bytes or 0, figures.out_of_memory_kills or 0
    reasons = []
    if kills:
        reasons.append(f"the memory cap killed {kills} of its processes")
    elif peak >= NEAR * limits.memory_bytes:
        reasons.append(f"memory reached {100 * peak / limits.memory_bytes:.0f} % of its cap")
    if throttled_share(run) >= 1 - NEAR:
        reasons.append(f"it was throttled {100 * throttled_share(run):.0f} % of the time")
    if figures.refused_forks:
        reasons.append(f"{figures.refused_forks} forks were refused by the process cap")
    if run.dropped_bytes:
        reasons.append(f"{format_bytes(run.dropped_bytes)} of output were dropped")
    return tuple(reasons)


def throttled_share(run: SandboxRun) -> float:
    """Say how much of its time it was held back; several threads can wait at once."""
    return min(1.0, (run.figures.throttled_s or 0.0) / run.wall_s) if run.wall_s else 0.0


def _figures(run: SandboxRun) -> tuple[Figure, ...]:
    figures, limits = run.figures, run.limits
    shown_figures = [Figure("wall", round(run.wall_s, 3), "s")]
    if figures.peak_memory_bytes is not None:
        cap = float(limits.memory_bytes)
        shown_figures.append(Figure("memory", figures.peak_memory_bytes, "B", NEAR * cap, cap))
    if figures.cpu_s is not None:
        shown_figures.append(Figure("cpu", round(figures.cpu_s, 3), "s"))
    if figures.throttled_s is not None:
        shown_figures.append(Figure("throttled", round(figures.throttled_s, 3), "s"))
    return tuple(shown_figures)


def describe_use(run: SandboxRun) -> str:
    """Say in one line what it took, each beside its cap."""
    figures, limits = run.figures, run.limits
    cap = limits.memory_bytes
    parts = []
    if figures.peak_memory_bytes is not None:
        share = 100 * figures.peak_memory_bytes / cap
        peak = figures.peak_memory_bytes / MEBI
        parts.append(f"memory peak {peak:.0f} of {cap // MEBI} MiB ({share:.0f} %)")
    if figures.cpu_s is not None:
        # Its own start is in it: no share of a moment.
        share = figures.cpu_s / (max(run.wall_s, MOMENT_S) * limits.cpus)
        parts.append(f"CPU {figures.cpu_s:.1f} s ({min(share, 1):.0%} of its {limits.cpus:g})")
    if figures.throttled_s is not None:
        parts.append(f"throttled {figures.throttled_s:.1f} s")
    if figures.peak_processes is not None:
        parts.append(f"processes {figures.peak_processes} of {limits.processes}")
    return ", ".join(parts) or "this kernel reports no figures"


def worst_code(runs: tuple[SandboxRun, ...]) -> int:
    """Leave with the first code that is not 0."""
    return next((run.exit_code for run in runs if run.exit_code), 0)


def _pairs(text: str) -> dict[str, int]:
    rows = (line.split() for line in text.splitlines())
    return {row[0]: int(row[1]) for row in rows if len(row) > 1 and row[1].isdecimal()}


def _parse_int(text: str | None) -> int | None:
    return int(text) if text and text.strip().isdecimal() else None


def _scaled(value: int | None, unit: float) -> float | None:
    return None if value is None else value / unit
