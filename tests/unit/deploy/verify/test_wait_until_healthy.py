"""The wait for healthy services, on an engine in memory and a clock turned by hand."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from opsctl.deploy.model import ServiceContainer
from opsctl.deploy.observe import Observer
from opsctl.deploy.verify.wait_until_healthy import (
    ExpectedServices,
    UnhealthyError,
    wait_until_healthy,
)
from opsctl.errors import UnreachableError
from opsctl.settings.sections.deploy import Deploy
from opsctl.systems.engine.compose_labels import PROJECT_LABEL, SERVICE_LABEL
from opsctl.systems.engine.model import Container
from tests.fakes.clock import HandClock
from tests.fakes.containers import MemoryContainers
from tests.unit.deploy.observations import make_container, make_generated

TIMEOUT_S = 60.0


@dataclass
class TurningClock(HandClock):
    """Does something at each sleep: time passes for the engine as well."""

    on_sleep: Callable[[float], None] = lambda _: None

    def sleep(self, seconds: float) -> None:
        HandClock.sleep(self, seconds)
        self.on_sleep(self.count)


@dataclass
class Wait:
    services: dict[str, Any]
    clock: TurningClock = field(default_factory=TurningClock)
    engine: MemoryContainers = field(default_factory=MemoryContainers)
    reported: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.engine.wall = self.clock.wall

    def add(self, service: str, **more: Any) -> Container:
        labels = {PROJECT_LABEL: "shop-dev", SERVICE_LABEL: service}
        more = {"started_at": self.clock.wall, **more}
        container = make_container(service, labels=labels, **more)
        self.engine.add(container)
        return container

    def run(self, **expected: Any) -> tuple[ServiceContainer, ...]:
        generated = make_generated(self.services)
        context: Any = SimpleNamespace(
            clock=self.clock,
            containers=self.engine,
            target=SimpleNamespace(project="shop-dev"),
            settings=SimpleNamespace(deploy=Deploy(engine_wait_s=30)),
        )
        services = {name: generated.service(name) for name in generated.services}
        return wait_until_healthy(
            Observer(context),
            ExpectedServices(services, {}, **expected),
            timeout_s=TIMEOUT_S,
            report=self.reported.append,
        )


def test_a_job_is_waited_for_until_it_has_ended() -> None:
    wait = Wait({"job": {"image": "job:1"}})
    job = wait.add("job")

    def end(after_s: float) -> None:
        if after_s > 12:
            wait.engine.add(replace(job, state="exited"))

    wait.clock.on_sleep = end
    (ended,) = wait.run(jobs=frozenset({"job"}))

    assert ended.container.state == "exited"
    assert any("expected to end" in line for line in wait.reported)


def test_a_job_that_fails_after_the_stable_window_is_a_failure() -> None:
    wait = Wait({"job": {"image": "job:1"}})
    job = wait.add("job")

    def fail(after_s: float) -> None:
        if after_s > 12:
            wait.engine.add(replace(job, state="exited", exit_code=3))

    wait.clock.on_sleep = fail
    with pytest.raises(UnhealthyError, match="job") as caught:
        wait.run(jobs=frozenset({"job"}))

    assert "exit code 3" in caught.value.why


def test_a_job_that_still_runs_when_the_time_is_over_fails_nothing() -> None:
    wait = Wait({"job": {"image": "job:1"}})
    wait.add("job")

    (running,) = wait.run(jobs=frozenset({"job"}))

    assert running.container.state == "running"
    assert wait.clock.count >= TIMEOUT_S


def test_beside_a_running_job_only_the_service_that_is_late_is_named() -> None:
    wait = Wait({"job": {"image": "job:1"}, "web": {"image": "web:1"}})
    wait.add("job")
    wait.add("web", health="starting")

    with pytest.raises(UnhealthyError) as caught:
        wait.run(jobs=frozenset({"job"}))

    assert [verdict.service for verdict in caught.value.verdicts] == ["web"]


def test_a_service_that_is_no_job_is_done_when_it_is_stable() -> None:
    wait = Wait({"web": {"image": "web:1"}})
    wait.add("web")

    wait.run()

    assert wait.clock.count == pytest.approx(5, abs=0.2)


@pytest.mark.parametrize("more", [{"health": "unhealthy"}, {"state": "paused"}])
def test_what_was_unhealthy_before_and_is_the_same_is_excused(more: dict[str, Any]) -> None:
    wait = Wait({"web": {"image": "web:1"}})
    sick = wait.add("web", **more)

    wait.run(excused=frozenset({sick.id}))

    with pytest.raises(UnhealthyError):
        wait.run(excused=frozenset({"another container"}))


def test_an_engine_that_is_slow_for_a_while_fails_nothing() -> None:
    wait = Wait({"web": {"image": "web:1"}})
    wait.add("web", started_at=wait.clock.wall - timedelta(hours=1))
    wait.engine.is_away = True

    def answer(after_s: float) -> None:
        wait.engine.is_away = after_s < 20

    wait.clock.on_sleep = answer
    (web,) = wait.run()

    assert web.service == "web"
    assert "waiting for the container engine" in wait.reported


def test_an_engine_that_stays_away_is_reported_after_the_engine_wait() -> None:
    wait = Wait({"web": {"image": "web:1"}})
    wait.engine.is_away = True

    with pytest.raises(UnreachableError):
        wait.run()

    assert wait.clock.count == pytest.approx(30, abs=1)
