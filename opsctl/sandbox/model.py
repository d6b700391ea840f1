"""The data of a test run: the request, the plan and the result."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from opsctl.findings import Finding
from opsctl.systems.engine.capped_container import (
    NO_NETWORK,
    TEMPORARY,
    BindMount,
    CappedLimits,
    CappedSpec,
    ImageFacts,
)

__all__ = [
    "NO_NETWORK",
    "TEMPORARY",
    "BindMount",
    "CappedLimits",
    "CappedSpec",
    "CommandOutcome",
    "ContainerOwner",
    "ImageFacts",
    "PlanInputs",
    "ResourceUse",
    "RunSecrets",
    "SandboxPlan",
    "SandboxReport",
    "SandboxRequest",
    "SandboxRun",
    "SandboxVerdict",
]

MEBI = 1024 * 1024


@dataclass(frozen=True, slots=True)
class SandboxRequest:
    """What was asked for, by flags or by a compose service."""

    images: tuple[str, ...]
    command: tuple[str, ...] = field(default=(), repr=False)
    """Empty: the image's own."""
    entrypoint: tuple[str, ...] | None = field(default=None, repr=False)
    """None: the image's own."""
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    binds: tuple[BindMount, ...] = ()
    """Their sources resolved: every link followed."""
    writable: tuple[str, ...] = ()
    workdir: str = ""
    user: str = ""
    limits: CappedLimits | None = None
    """What a compose service asks for; None: what the settings say."""
    network: str = NO_NETWORK
    services: tuple[str, ...] = ()
    keeps: bool = False
    timeout_s: float | None = None


@dataclass(frozen=True, slots=True)
class PlanInputs:
    """What is known before planning."""

    images: Mapping[str, ImageFacts]
    socket: str
    """Where the engine's socket is; empty for an engine elsewhere."""
    labels: Mapping[str, str]
    """Whose containers these are."""
    app_env: str = "development"


@dataclass(frozen=True, slots=True)
class RunSecrets:
    """What nobody can guess: the name of this run, the secret of its end, that of its servers."""

    name: str
    secret: str = field(repr=False)
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class SandboxPlan:
    """Every container in the order in which it starts."""

    services: Mapping[str, CappedSpec]
    runs: tuple[CappedSpec, ...]
    timeout_s: float
    private_network: str = ""

    @property
    def steps(self) -> tuple[str, ...]:
        made = (f"network {self.private_network}: has no way out",)
        served = tuple(f"service {_describe_spec(spec)}" for spec in self.services.values())
        tested = tuple(f"test {_describe_spec(spec)}, {self.timeout_s:g} s" for spec in self.runs)
        return (*(made if self.private_network else ()), *served, *tested)


def _describe_spec(spec: CappedSpec) -> str:
    limits = spec.limits
    caps = f"{limits.cpus:g} CPU, {limits.memory_bytes // MEBI} MiB, {limits.processes} processes"
    binds = "".join(
        f", {bind.source} at {bind.target} ({'writable' if bind.writable else 'read-only'})"
        for bind in spec.binds
    )
    return f"{spec.image}: {caps}, user {spec.user}, network {spec.network}{binds}"


class SandboxVerdict(StrEnum):
    PASSED = "passed"
    FAILED = "failed"
    OUT_OF_MEMORY = "out of memory"
    """The command itself was killed by the cap."""
    CHILD_OUT_OF_MEMORY = "child out of memory"
    """A process that it had started was; how it took that is its exit code."""
    TIMED_OUT = "timed out"
    KILLED = "killed"
    """By a signal, and neither by a cap nor by us."""


@dataclass(frozen=True, slots=True)
class ResourceUse:
    """What the command used; None where this kernel does not report it."""

    peak_memory_bytes: int | None = None
    cpu_s: float | None = None
    throttled_s: float | None = None
    out_of_memory_kills: int | None = None
    peak_processes: int | None = None
    refused_forks: int | None = None


@dataclass(frozen=True, slots=True)
class CommandOutcome:
    """How the command ended, as the entrypoint and the engine report it."""

    exit_code: int
    by_signal: bool
    was_out_of_memory: bool
    was_late: bool
    figures: ResourceUse


@dataclass(frozen=True, slots=True)
class SandboxRun:
    """One command in one image, and its result."""

    image: str
    verdict: SandboxVerdict
    exit_code: int
    wall_s: float
    limits: CappedLimits
    figures: ResourceUse
    output_bytes: int
    dropped_bytes: int
    last_output: str = field(repr=False)
    kept_container: str = ""
    """The container that --keep left."""


@dataclass(frozen=True, slots=True)
class SandboxReport:
    runs: tuple[SandboxRun, ...]
    leftovers: tuple[str, ...]
    """What earlier runs had left behind."""
    findings: tuple[Finding, ...]
    exit_code: int


@dataclass(frozen=True, slots=True)
class ContainerOwner:
    """The process that a container belongs to; a later one of the same number is another."""

    host: str
    boot: str
    pid: int
    started: float
