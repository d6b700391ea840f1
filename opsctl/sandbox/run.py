"""Runs a plan: services, then each test, its caps verified first; leaves nothing behind."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from opsctl.errors import OpsctlError, RefusedError, UnreachableError
from opsctl.sandbox.model import (
    MEBI,
    CappedSpec,
    CommandOutcome,
    RunSecrets,
    SandboxPlan,
    SandboxRun,
)
from opsctl.sandbox.outcome import (
    KILLED_CODE,
    exit_code_of,
    judge,
    parse_last_words,
    use_from_sample,
)
from opsctl.sandbox.services import SERVICES
from opsctl.sandbox.stream_output import OnOutput, OutputLimits, OutputReader, read_output
from opsctl.sandbox.verify_caps import failed_caps
from opsctl.settings.sections.sandbox import Sandbox
from opsctl.systems.docker.capped_entrypoint import KILL, READY, STOP, go, last_words, read_shown
from opsctl.systems.engine.capped_container import ContainerChannel, OutputStream

if TYPE_CHECKING:
    from opsctl.progress import Progress
    from opsctl.systems.clock import Clock
    from opsctl.systems.engine.capped_container import CappedRunner, ResourceSample

# From the start to the entrypoint's first output; the engine may be busy.
ENTRYPOINT_S = 30.0
# Between a killing and the end of the container.
KILL_S = 5.0
# Until the engine has put away what has ended; it may have much to do.
ENGINE_CLEANUP_S = 60.0
READY_POLL_S = 0.2
# Exit codes above are those of a signal, as shells and the engine have it.
SIGNAL_CODES = 128


@dataclass(frozen=True, slots=True)
class RunParts:
    """What a run depends on."""

    sandboxes: "CappedRunner"
    clock: "Clock"
    rules: Sandbox
    on_output: OnOutput
    progress: "Progress"


def run(
    plan: SandboxPlan, parts: RunParts, run_secrets: RunSecrets, *, keep: bool = False
) -> tuple[SandboxRun, ...]:
    """Run every test, one after the other; whatever happens, nothing of it stays."""
    total = len(plan.services) + len(plan.runs)
    with ExitStack() as stack:
        if plan.private_network:
            stack.callback(parts.sandboxes.remove_network, plan.private_network)
            labels = next(iter(plan.services.values())).labels
            parts.sandboxes.create_network(plan.private_network, labels)
        parts.progress.advance(0, total, "services" if plan.services else plan.runs[0].image)
        for spec in plan.services.values():
            _start_service(spec, parts, run_secrets, stack)
        _await_services(plan, parts)
        runs = []
        for number, spec in enumerate(plan.runs, start=len(plan.services)):
            parts.progress.advance(number, total, spec.image)
            runs.append(_test(spec, plan.timeout_s, (parts, run_secrets), keep=keep))
        parts.progress.advance(total, total, "")
    return tuple(runs)


@contextmanager
def _container(spec: CappedSpec, parts: RunParts) -> Iterator[str]:
    """Make the container; it is removed by its name, which is known before it is there."""
    try:
        yield parts.sandboxes.create(spec)
    finally:
        parts.sandboxes.discard(spec.name)


def _start_service(
    spec: CappedSpec, parts: RunParts, run_secrets: RunSecrets, stack: ExitStack
) -> None:
    container = stack.enter_context(_container(spec, parts))
    # Held open to the end: when we die, so does it.
    input_channel = parts.sandboxes.open(container, output=False)
    stack.callback(input_channel.close)
    caps_channel = parts.sandboxes.open(container, stdin=False)
    try:
        parts.sandboxes.start(container)
        _verify(caps_channel, spec, parts)
    finally:
        caps_channel.close()
    input_channel.send(go(run_secrets.secret))


def _await_services(plan: SandboxPlan, parts: RunParts) -> None:
    end = parts.clock.steady() + parts.rules.service_wait_s
    for name, spec in plan.services.items():
        while parts.sandboxes.execute(spec.name, *SERVICES[name].ready):
            found = parts.sandboxes.inspect(spec.name)
            gone = found is None or found.state != "running"
            if gone or parts.clock.steady() >= end:
                raise _service_not_ready(name, spec, parts, gone=gone)
            parts.clock.sleep(READY_POLL_S)


def _service_not_ready(name: str, spec: CappedSpec, parts: RunParts, *, gone: bool) -> OpsctlError:
    caps_output = parts.sandboxes.logs(spec.name).partition("\0")[0].strip()
    if gone:
        return OpsctlError(f"cannot use the test's {name}: it exited", why=caps_output[-1000:])
    what = f"the test's {name} was not ready within {parts.rules.service_wait_s:g} s"
    return UnreachableError(what, why=caps_output[-1000:], hint="Raise sandbox.service_wait_s.")


def _test(
    spec: CappedSpec, timeout_s: float, given: tuple[RunParts, RunSecrets], *, keep: bool
) -> SandboxRun:
    parts, run_secrets = given
    bounds = OutputLimits(parts.rules.output_mb * MEBI, parts.rules.output_mb_per_s * MEBI)
    reader = OutputReader(parts.on_output, bounds, last_words(run_secrets.secret))
    with ExitStack() as stack:
        container = stack.enter_context(_container(spec, parts))
        channel = parts.sandboxes.open(container)
        stack.callback(channel.close)
        parts.sandboxes.start(container)
        _verify(channel, spec, parts)
        began = parts.clock.steady()
        channel.send(go(run_secrets.secret))
        ended = _wait_for_end(container, channel, (reader, parts), until=began + timeout_s)
        wall_s = parts.clock.steady() - began
        kept = parts.sandboxes.keep(container, spec.name) if keep else ""
    return _describe_outcome(spec, ended, reader, wall_s=wall_s, kept=kept)


def _describe_outcome(
    spec: CappedSpec, ended: CommandOutcome, reader: OutputReader, *, wall_s: float, kept: str
) -> SandboxRun:
    return SandboxRun(
        image=spec.image,
        verdict=judge(ended),
        exit_code=exit_code_of(ended),
        wall_s=wall_s,
        limits=spec.limits,
        figures=ended.figures,
        output_bytes=reader.heard_bytes,
        dropped_bytes=reader.dropped_bytes,
        last_output=reader.last_output,
        kept_container=kept,
    )


def _verify(channel: ContainerChannel, spec: CappedSpec, parts: RunParts) -> None:
    """Read the caps as the container itself sees them; nothing runs when one does not hold."""
    caps_output = _read_caps(channel, parts.clock)
    found = failed_caps(read_shown(caps_output), spec)
    if found:
        raise RefusedError(
            f"cannot run {spec.image}: the caps are not enforced inside the container",
            why="; ".join(found),
            hint="Nothing was run. `docker info` shows what this kernel cannot limit.",
        )


def _read_caps(channel: ContainerChannel, clock: "Clock") -> str:
    caps_output, complaint = bytearray(), bytearray()
    end = clock.steady() + ENTRYPOINT_S
    while channel.is_open and clock.steady() < end and not caps_output.endswith(READY):
        for piece in channel.read(end - clock.steady()):
            (caps_output if piece.stream is OutputStream.OUT else complaint).extend(piece.data)
    if not caps_output.endswith(READY):
        why = complaint.decode(errors="replace").strip() or "its entrypoint did not report its caps"
        raise OpsctlError("cannot read the caps from inside the container", why=why[-1000:])
    return caps_output.decode(errors="replace")


def _wait_for_end(
    container: str, channel: ContainerChannel, given: tuple[OutputReader, RunParts], *, until: float
) -> CommandOutcome:
    reader, parts = given
    pace = parts.rules.output_mb_per_s * MEBI
    in_time = read_output(channel, reader, parts.clock, until=until, pace=pace)
    sample = None
    if not in_time:
        sample = _stop_container(container, channel, given)
    reader.end()
    found = parts.sandboxes.wait(container, timeout_s=ENGINE_CLEANUP_S)
    input_channel = parse_last_words(reader.last_words)
    if input_channel is None:
        code = found.exit_code if found else KILLED_CODE
        input_channel = code, code > SIGNAL_CODES, use_from_sample(sample)
    code, by_signal, figures = input_channel
    starved = bool(found and found.was_out_of_memory)
    return CommandOutcome(code, by_signal, starved, was_late=not in_time, figures=figures)


def _stop_container(
    container: str, channel: ContainerChannel, given: tuple[OutputReader, RunParts]
) -> "ResourceSample | None":
    """Ask it to end, then make it, then kill the container."""
    reader, parts = given
    for word, wait_s in ((STOP, parts.rules.grace_s), (KILL, KILL_S)):
        channel.send(word)
        until = parts.clock.steady() + wait_s
        if read_output(channel, reader, parts.clock, until=until, pace=float("inf")):
            return None
    sample = parts.sandboxes.sample(container)
    parts.sandboxes.kill(container)
    read_output(
        channel, reader, parts.clock, until=parts.clock.steady() + KILL_S, pace=float("inf")
    )
    return sample
