"""Runs a plan: services, then each test, verified before it starts; nothing of it stays."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from opsctl.errors import OpsctlError, RefusedError, UnreachableError
from opsctl.sandbox.model import MEBI, Ended, Marks, Plan, Run, Spec
from opsctl.sandbox.services import SERVICES
from opsctl.sandbox.stream_output import Bounds, Ear, Hear, listen
from opsctl.sandbox.outcome import (
    KILLED_CODE,
    from_sample,
    judge,
    passed_on,
    read_last_words,
)
from opsctl.sandbox.verify_caps import troubles
from opsctl.settings.sections.sandbox import Sandbox
from opsctl.systems.docker.capped_entrypoint import KILL, READY, STOP, go, last_words, read_shown
from opsctl.systems.docker.capped_stream import ContainerChannel, OutputStream

if TYPE_CHECKING:
    from opsctl.progress import Progress
    from opsctl.systems.clock import Clock
    from opsctl.systems.docker.capped_runner import CappedRunner, ResourceSample

# From the start to the gate's first words; the engine may be busy.
GATE_S = 30.0
# Between a killing and the end of the container.
END_S = 5.0
# Until the engine has put away what has ended; it may have much to do.
PUT_AWAY_S = 60.0
ASK_AGAIN_S = 0.2
# Exit codes above are those of a signal, as shells and the engine have it.
SIGNALS = 128


@dataclass(frozen=True, slots=True)
class Parts:
    """What a run stands on."""

    sandboxes: "CappedRunner"
    clock: "Clock"
    rules: Sandbox
    hear: Hear
    progress: "Progress"


def run(plan: Plan, parts: Parts, marks: Marks, *, keep: bool = False) -> tuple[Run, ...]:
    """Run every test, one after the other; whatever happens, nothing of it stays."""
    total = len(plan.services) + len(plan.runs)
    with ExitStack() as stack:
        if plan.private_network:
            stack.callback(parts.sandboxes.discard_network, plan.private_network)
            labels = next(iter(plan.services.values())).labels
            parts.sandboxes.make_network(plan.private_network, labels)
        parts.progress.advance(0, total, "services" if plan.services else plan.runs[0].image)
        for spec in plan.services.values():
            _serve(spec, parts, marks, stack)
        _await_services(plan, parts)
        runs = []
        for number, spec in enumerate(plan.runs, start=len(plan.services)):
            parts.progress.advance(number, total, spec.image)
            runs.append(_test(spec, plan.timeout_s, (parts, marks), keep=keep))
        parts.progress.advance(total, total, "")
    return tuple(runs)


@contextmanager
def _made(spec: Spec, parts: Parts) -> Iterator[str]:
    """Make the container; it is removed by its name, which is known before it is there."""
    try:
        yield parts.sandboxes.create(spec)
    finally:
        parts.sandboxes.discard(spec.name)


def _serve(spec: Spec, parts: Parts, marks: Marks, stack: ExitStack) -> None:
    container = stack.enter_context(_made(spec, parts))
    # Held open to the end: when we die, so does it.
    words = parts.sandboxes.open(container, speech=False)
    stack.callback(words.close)
    speech = parts.sandboxes.open(container, words=False)
    try:
        parts.sandboxes.start(container)
        _verify(speech, spec, parts)
    finally:
        speech.close()
    words.send(go(marks.secret))


def _await_services(plan: Plan, parts: Parts) -> None:
    end = parts.clock.steady() + parts.rules.service_wait_s
    for name, spec in plan.services.items():
        while parts.sandboxes.execute(spec.name, *SERVICES[name].ready):
            found = parts.sandboxes.inspect(spec.name)
            gone = found is None or found.state != "running"
            if gone or parts.clock.steady() >= end:
                raise _not_ready(name, spec, parts, gone=gone)
            parts.clock.sleep(ASK_AGAIN_S)


def _not_ready(name: str, spec: Spec, parts: Parts, *, gone: bool) -> OpsctlError:
    said = parts.sandboxes.logs(spec.name).partition("\0")[0].strip()
    if gone:
        return OpsctlError(f"the test's {name} ended instead of serving", why=said[-1000:])
    what = f"the test's {name} was not ready within {parts.rules.service_wait_s:g} s"
    return UnreachableError(what, why=said[-1000:], hint="Raise sandbox.service_wait_s.")


def _test(spec: Spec, timeout_s: float, given: tuple[Parts, Marks], *, keep: bool) -> Run:
    parts, marks = given
    bounds = Bounds(parts.rules.output_mb * MEBI, parts.rules.output_mb_per_s * MEBI)
    ear = Ear(parts.hear, bounds, last_words(marks.secret))
    with ExitStack() as stack:
        container = stack.enter_context(_made(spec, parts))
        channel = parts.sandboxes.open(container)
        stack.callback(channel.close)
        parts.sandboxes.start(container)
        _verify(channel, spec, parts)
        began = parts.clock.steady()
        channel.send(go(marks.secret))
        ended = _heard_out(container, channel, (ear, parts), until=began + timeout_s)
        wall_s = parts.clock.steady() - began
        kept = parts.sandboxes.keep(container, spec.name) if keep else ""
    return _told(spec, ended, ear, wall_s=wall_s, kept=kept)


def _told(spec: Spec, ended: Ended, ear: Ear, *, wall_s: float, kept: str) -> Run:
    return Run(
        image=spec.image,
        verdict=judge(ended),
        exit_code=passed_on(ended),
        wall_s=wall_s,
        limits=spec.limits,
        figures=ended.figures,
        output_bytes=ear.heard_bytes,
        dropped_bytes=ear.dropped_bytes,
        last_output=ear.last_output,
        kept=kept,
    )


def _verify(channel: ContainerChannel, spec: Spec, parts: Parts) -> None:
    """Read the caps as the container itself sees them; nothing runs when one does not hold."""
    said = _gate_says(channel, parts.clock)
    found = troubles(read_shown(said), spec)
    if found:
        raise RefusedError(
            f"refused to run {spec.image}: the caps do not hold inside the container",
            why="; ".join(found),
            hint="Nothing ran. Look at `docker info` for what this kernel cannot cap.",
        )


def _gate_says(channel: ContainerChannel, clock: "Clock") -> str:
    said, complaint = bytearray(), bytearray()
    end = clock.steady() + GATE_S
    while channel.is_open and clock.steady() < end and not said.endswith(READY):
        for piece in channel.read(end - clock.steady()):
            (said if piece.stream is OutputStream.OUT else complaint).extend(piece.data)
    if not said.endswith(READY):
        why = complaint.decode(errors="replace").strip() or "its gate did not say what its caps are"
        raise OpsctlError("could not look at the caps from inside the container", why=why[-1000:])
    return said.decode(errors="replace")


def _heard_out(
    container: str, channel: ContainerChannel, given: tuple[Ear, Parts], *, until: float
) -> Ended:
    ear, parts = given
    pace = parts.rules.output_mb_per_s * MEBI
    in_time = listen(channel, ear, parts.clock, until=until, pace=pace)
    sample = None
    if not in_time:
        sample = _stop(container, channel, given)
    ear.end()
    found = parts.sandboxes.wait(container, timeout_s=PUT_AWAY_S)
    words = read_last_words(ear.last_words)
    if words is None:
        code = found.exit_code if found else KILLED_CODE
        words = code, code > SIGNALS, from_sample(sample)
    code, by_signal, figures = words
    starved = bool(found and found.was_out_of_memory)
    return Ended(code, by_signal, starved, was_late=not in_time, figures=figures)


def _stop(container: str, channel: ContainerChannel, given: tuple[Ear, Parts]) -> "ResourceSample | None":
    """Ask it to end, then make it, then take it down with its gate."""
    ear, parts = given
    for word, wait_s in ((STOP, parts.rules.grace_s), (KILL, END_S)):
        channel.send(word)
        until = parts.clock.steady() + wait_s
        if listen(channel, ear, parts.clock, until=until, pace=float("inf")):
            return None
    sample = parts.sandboxes.sample(container)
    parts.sandboxes.kill(container)
    listen(channel, ear, parts.clock, until=parts.clock.steady() + END_S, pace=float("inf"))
    return sample
