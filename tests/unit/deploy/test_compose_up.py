"""Starting what was deployed, while somebody else is clearing up."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from opsctl.deploy.compose_up import ATTEMPTS, bring_up
from opsctl.deploy.observe import Observer
from opsctl.systems.engine.compose import OnLine, UpOptions
from opsctl.systems.process.output import Line
from opsctl.systems.process.run import Command, Finished
from tests.fakes.clock import HandClock
from tests.fakes.containers import MemoryContainers

LOST = "Error response from daemon: container is marked for removal and cannot be started"
BROKEN = "Error response from daemon: no such device"


@dataclass
class SayingCompose:
    """Says one line at each start, and fails when it says something."""

    lines: Sequence[str]
    starts: int = 0

    def up(self, project: Any, how: UpOptions, on_line: OnLine) -> Finished:  # noqa: ARG002 - whatever it is
        said = self.lines[min(self.starts, len(self.lines) - 1)]
        self.starts += 1
        on_line(Line(said))
        return Finished(Command(("docker",)), 1 if said else 0)


@dataclass
class Start:
    compose: SayingCompose
    clock: HandClock = field(default_factory=HandClock)
    heard: list[str] = field(default_factory=list)

    def bring_up(self) -> Finished:
        site: Any = SimpleNamespace(
            compose=self.compose,
            clock=self.clock,
            containers=MemoryContainers(),
            target=SimpleNamespace(project="shop-dev"),
        )
        project: Any = None
        return bring_up(
            Observer(site), project, UpOptions(), lambda line: self.heard.append(line.text)
        )


def test_a_race_that_was_lost_is_run_again_and_told() -> None:
    start = Start(SayingCompose([LOST, LOST, ""]))

    done = start.bring_up()

    assert done.exit_code == 0
    assert start.compose.starts == 3
    assert f"a race over a container was lost; try 2 of {ATTEMPTS}" in start.heard
    assert f"a race over a container was lost; try 3 of {ATTEMPTS}" in start.heard


def test_who_never_stops_clearing_up_is_not_borne_with_for_ever() -> None:
    start = Start(SayingCompose([LOST]))

    done = start.bring_up()

    assert done.exit_code == 1
    assert start.compose.starts == ATTEMPTS


@pytest.mark.parametrize("said", [BROKEN, ""])
def test_anything_else_is_final_at_once(said: str) -> None:
    start = Start(SayingCompose([said]))

    start.bring_up()

    assert start.compose.starts == 1
    assert start.clock.count == 0
