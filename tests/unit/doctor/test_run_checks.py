import threading
from collections.abc import Iterator

from opsctl.doctor.model import DoctorCheck
from opsctl.doctor.run_checks import run_checks
from opsctl.errors import UnreachableError
from opsctl.findings import Finding, Level
from opsctl.progress import NoProgress
from opsctl.systems.clock import SystemClock


def fine() -> Iterator[Finding]:
    yield Finding("fine", Level.OK, "well")


def dead() -> Iterator[Finding]:
    yield Finding("dead", Level.OK, "half an answer counts for nothing")
    raise UnreachableError("no answer", why="refused", hint="start it")


def test_answers_come_in_the_order_of_the_questions_and_a_failure_is_one() -> None:
    checks = [DoctorCheck("dead", dead), DoctorCheck("fine", fine)]

    report = run_checks(checks, deadline_s=5, clock=SystemClock(), progress=NoProgress())

    assert report.findings == (
        Finding("dead", Level.CRITICAL, "no answer: refused", fix="start it"),
        Finding("fine", Level.OK, "well"),
    )


def test_one_that_hangs_is_left_behind_and_said_so() -> None:
    stuck = threading.Event()

    def hang() -> Iterator[Finding]:
        stuck.wait(90)
        yield from ()

    clock = SystemClock()
    began = clock.steady()
    checks = [DoctorCheck("hung", hang), DoctorCheck("fine", fine)]
    report = run_checks(checks, deadline_s=1.5, clock=clock, progress=NoProgress())
    took = clock.steady() - began
    stuck.set()

    assert [finding.level for finding in report.findings] == [Level.CRITICAL, Level.OK]
    assert report.findings[0].what == "no answer within 1.5 s"
    assert took < 60
