"""Background jobs in both forms: tasks on an event loop, and threads."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from opsctl.kit.concurrency import tasks, threads
from tests.contract.kit.forms import Form, loop, make
from tests.waiting import wait_for


class Waiting:
    """Work that goes on until it is released or stopped."""

    def __init__(self, kind: str) -> None:
        self._is_async = kind == "async"
        self._released = threading.Event()
        self.ended = 0

    @property
    def work(self) -> Any:
        return self._wait_async if self._is_async else self._wait

    def release(self) -> None:
        self._released.set()

    def _wait(self) -> None:
        self._released.wait(10)
        self.ended += 1

    async def _wait_async(self) -> None:
        try:
            while not self._released.is_set():  # noqa: ASYNC110 - released from outside the loop
                await asyncio.sleep(0.01)
        finally:
            self.ended += 1


Build = Callable[..., Form]


@pytest.fixture(params=["sync", "async"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def build(kind: str) -> Iterator[Build]:
    modules: dict[str, Any] = {"sync": threads, "async": tasks}
    with loop(kind) as runner:

        def build_(name: str, **options: Any) -> Form:
            part = make(runner, lambda: getattr(modules[kind], name)("test", **options))
            return Form(part, runner)

        yield build_


@pytest.fixture
def waiting(kind: str) -> Waiting:
    return Waiting(kind)


def start(form: Form, work: Any) -> Any:
    """Start inside the event loop, where there is one."""
    if form._runner is None:
        return form.part.start(work)

    async def inside() -> Any:
        return form.part.start(work)

    return form._runner.run(inside())


def test_a_job_runs_until_it_is_stopped(build: Build, waiting: Waiting) -> None:
    job = build("BackgroundJob")
    start(job, waiting.work)
    job.settle()
    assert job.part.running

    job.stop(wake=waiting.release)

    assert not job.part.running
    assert waiting.ended == 1


def test_a_job_that_was_never_started_can_be_stopped(build: Build) -> None:
    job = build("BackgroundJob")

    job.stop()

    assert not job.part.running


def test_a_pool_runs_no_more_jobs_than_it_has_places(build: Build, waiting: Waiting) -> None:
    pool = build("BackgroundPool", most=2)

    started = [start(pool, waiting.work) for _ in range(4)]

    assert started == [True, True, False, False]
    waiting.release()

    def has_free_place() -> bool:
        pool.settle()
        return waiting.ended == 2 and bool(start(pool, waiting.work))

    wait_for(has_free_place, 5, "a free place")


def test_waiting_for_an_event_ends_with_it_or_with_the_time(kind: str) -> None:
    module: Any = threads if kind == "sync" else tasks
    with loop(kind) as runner:
        event = Form(make(runner, module.TimedEvent), runner)

        assert event.wait_for(0.01) is False
        event.part.set()
        assert event.wait_for(10) is True
