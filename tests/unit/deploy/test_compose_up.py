"""`compose up` while someone else cleans up the engine."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from opsctl.deploy.compose_up import ATTEMPTS, compose_up
from opsctl.deploy.observe import Observer
from opsctl.errors import OpsctlError
from opsctl.systems.engine.compose import ComposeProject, OnLine, UpOptions
from opsctl.systems.engine.guarded_engine import AllowedCalls, CallTarget, EngineCall
from opsctl.systems.process.output import Line
from opsctl.systems.process.run import Command, Finished
from tests.fakes.clock import HandClock
from tests.fakes.containers import MemoryContainers
from tests.fakes.engine_guard import MemoryGuard
from tests.unit.deploy.observations import make_target

LOST = "Error response from daemon: container is marked for removal and cannot be started"
ALLOWED = AllowedCalls(project="shop-dev")
BROKEN = "Error response from daemon: no such device"


@dataclass
class FakeCompose:
    """Prints one line per start, and fails when the line is not empty."""

    lines: Sequence[str]
    starts: int = 0
    engines: list[str] = field(default_factory=list)

    def up(self, project: ComposeProject, how: UpOptions, on_line: OnLine) -> Finished:
        del how
        self.engines.append(project.engine)
        line = self.lines[min(self.starts, len(self.lines) - 1)]
        self.starts += 1
        on_line(Line(line))
        return Finished(Command(("docker",)), 1 if line else 0)


@dataclass
class ComposeStart:
    compose: FakeCompose
    guard: MemoryGuard = field(default_factory=MemoryGuard)
    clock: HandClock = field(default_factory=HandClock)
    printed: list[str] = field(default_factory=list)

    def compose_up(self) -> Finished:
        context: Any = SimpleNamespace(
            compose=self.compose,
            clock=self.clock,
            containers=MemoryContainers(),
            engine_guard=self.guard,
            target=SimpleNamespace(project="shop-dev"),
        )
        return compose_up(
            Observer(context),
            make_target().compose_project(),
            UpOptions(),
            lambda line: self.printed.append(line.text),
            allowed=ALLOWED,
        )


def test_a_lost_race_is_retried_and_reported() -> None:
    start = ComposeStart(FakeCompose([LOST, LOST, ""]))

    finished = start.compose_up()

    assert finished.exit_code == 0
    assert start.compose.starts == 3
    assert f"lost a race over a container; retrying (2 of {ATTEMPTS})" in start.printed
    assert f"lost a race over a container; retrying (3 of {ATTEMPTS})" in start.printed


def test_retries_end_when_the_other_clean_up_does_not() -> None:
    start = ComposeStart(FakeCompose([LOST]))

    finished = start.compose_up()

    assert finished.exit_code == 1
    assert start.compose.starts == ATTEMPTS


@pytest.mark.parametrize("line", [BROKEN, ""])
def test_any_other_result_is_final(line: str) -> None:
    start = ComposeStart(FakeCompose([line]))

    start.compose_up()

    assert start.compose.starts == 1
    assert start.clock.count == 0


def test_compose_reaches_the_engine_only_through_the_guard() -> None:
    start = ComposeStart(FakeCompose([LOST, ""]))

    start.compose_up()

    assert start.compose.engines == [start.guard.address] * 2
    assert start.guard.allowed == [ALLOWED]


@pytest.mark.parametrize("line", [BROKEN, LOST, ""])
def test_what_was_refused_is_named_and_never_tried_again(line: str) -> None:
    stop = EngineCall(CallTarget.CONTAINER, "stop", "shop-dev-db-1", "db", "shop-dev")
    start = ComposeStart(FakeCompose([line]), MemoryGuard(refused=(stop, stop)))

    with pytest.raises(OpsctlError) as caught:
        start.compose_up()

    assert caught.value.why.startswith("it asked to stop container shop-dev-db-1 (service db);")
    assert start.compose.starts == 1
