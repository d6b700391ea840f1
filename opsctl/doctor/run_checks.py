"""Runs all checks in parallel, and waits for none longer than the deadline."""

import queue
import threading
from collections.abc import Sequence

from opsctl.doctor.model import DoctorCheck, DoctorReport
from opsctl.errors import OpsctlError
from opsctl.findings import Finding, Level
from opsctl.progress import Progress
from opsctl.systems.clock import Clock

_Answers = dict[str, tuple[Finding, ...]]


def run_checks(
    checks: Sequence[DoctorCheck], *, deadline_s: float, clock: Clock, progress: Progress
) -> DoctorReport:
    """Report in the order of the checks; one that hangs is left behind and reported."""
    answered: queue.Queue[tuple[str, tuple[Finding, ...]]] = queue.Queue()
    for check in checks:
        # A daemon: a check that hangs must not keep the process alive.
        threading.Thread(target=_run_check, args=(check, answered), daemon=True).start()
    answers = _collect_answers(
        answered, len(checks), until=clock.steady() + deadline_s, clock=clock
    )
    progress.advance(len(checks), len(checks), "")
    late = {check.name: (_timeout_finding(check.name, deadline_s),) for check in checks}
    return DoctorReport(
        tuple(finding for check in checks for finding in (late | answers)[check.name])
    )


def _run_check(
    check: DoctorCheck, answered: "queue.Queue[tuple[str, tuple[Finding, ...]]]"
) -> None:
    try:
        findings = tuple(check.ask())
    except OpsctlError as error:
        findings = (_failure_finding(check.name, error),)
    answered.put((check.name, findings))


def _collect_answers(
    answered: "queue.Queue[tuple[str, tuple[Finding, ...]]]",
    wanted: int,
    *,
    until: float,
    clock: Clock,
) -> _Answers:
    answers: _Answers = {}
    while len(answers) < wanted:
        try:
            name, findings = answered.get(timeout=max(0.0, until - clock.steady()))
        except queue.Empty:
            break
        answers[name] = findings
    return answers


def _failure_finding(name: str, error: OpsctlError) -> Finding:
    what = f"{error.what}: {error.why}" if error.why else error.what
    return Finding(name, Level.CRITICAL, what, fix=error.hint)


def _timeout_finding(name: str, deadline_s: float) -> Finding:
    return Finding(
        name,
        Level.CRITICAL,
        f"no answer within {deadline_s:g} s",
        fix="Check that it runs; `opsctl doctor --timeout 10s` waits longer.",
    )
