"""Waits until every service is healthy, and checks its image and environment."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import TypeVar

from opsctl.deploy.integrations import ReportLine
from opsctl.deploy.model import ServiceContainer
from opsctl.deploy.observe import Observer
from opsctl.deploy.verify.service_health import (
    HealthRules,
    HealthVerdict,
    ServiceHealth,
    judge_service,
)
from opsctl.errors import OpsctlError, UnreachableError
from opsctl.systems.engine.compose_model import Service

POLL_S = 0.1
ENGINE_POLL_S = 0.5
T = TypeVar("T")


class UnhealthyError(OpsctlError):
    """A service did not become healthy; `verdicts` say which and why."""

    code = "unhealthy"

    def __init__(self, what: str, *, why: str, verdicts: tuple[HealthVerdict, ...] = ()) -> None:
        super().__init__(what, why=why)
        self.verdicts = verdicts


@dataclass(frozen=True, slots=True)
class ExpectedServices:
    """What must run: these services, with these images and this environment."""

    services: Mapping[str, Service]
    images: Mapping[str, str | None]
    """Service to the image id that it must run."""
    manifests: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Service to the digests of its image's content, which count as much as the id."""
    app_env: str | None = None
    restarts_before: Mapping[str, int] = field(default_factory=dict)
    jobs: frozenset[str] = frozenset()
    """Services whose end is waited for, as long as there is time."""
    excused: frozenset[str] = frozenset()
    """Ids of containers that were unhealthy before, and that were not changed."""

    def accepts_image(self, found: ServiceContainer) -> bool:
        image, container = self.images.get(found.service), found.container
        is_same_content = container.image_manifest in self.manifests.get(found.service, ())
        return not image or container.image_id == image or is_same_content


def wait_until_healthy(
    observer: Observer,
    expected: ExpectedServices,
    *,
    timeout_s: float,
    report: ReportLine = lambda _: None,
) -> tuple[ServiceContainer, ...]:
    """Wait until every service is healthy; fail at once when one no longer can be."""
    context = observer.context
    settings = context.settings.deploy
    rules = HealthRules(
        settings.stable_s,
        settings.crash_restarts,
        expected.restarts_before,
        jobs=expected.jobs,
        excused=expected.excused,
    )
    end = context.clock.steady() + timeout_s
    # Start times come from the engine, so uptime is measured by the engine's clock.
    engine_now = ask_patiently(observer, context.containers.now, report=report)
    clock_offset = engine_now - context.clock.now()
    reported = ""
    while True:
        containers = ask_patiently(observer, observer.service_containers, report=report)
        now = context.clock.now() + clock_offset
        verdicts = _judge_services(expected, containers, rules, now=now)
        if not any(v.health in {ServiceHealth.WAITING, ServiceHealth.FAILED} for v in verdicts):
            return containers
        _raise_if_failed(verdicts)
        if context.clock.steady() >= end:
            if all(v.is_running_job for v in verdicts if v.health is ServiceHealth.WAITING):
                return containers
            _raise_late(verdicts, timeout_s=timeout_s)
        waiting = _describe(v for v in verdicts if v.health is ServiceHealth.WAITING)
        if waiting != reported:
            reported = waiting
            report(f"waiting for {waiting}")
        context.clock.sleep(_pause_s(verdicts))


def ask_patiently(
    observer: Observer, question: Callable[[], T], *, report: ReportLine = lambda _: None
) -> T:
    """Ask again while the engine is unreachable: one slow answer says nothing about a deploy."""
    clock, end = observer.context.clock, math.inf
    while True:
        try:
            return question()
        except UnreachableError:
            end = min(end, clock.steady() + observer.context.settings.deploy.engine_wait_s)
            if clock.steady() >= end:
                raise
        report("waiting for the container engine")
        clock.sleep(ENGINE_POLL_S)


def _pause_s(verdicts: tuple[HealthVerdict, ...]) -> float:
    """Poll again soon, and at once when a container becomes stable: the user is waiting."""
    remaining = (verdict.remaining_s for verdict in verdicts if verdict.remaining_s > 0)
    return min(POLL_S, *remaining, POLL_S)


def _judge_services(
    expected: ExpectedServices,
    containers: tuple[ServiceContainer, ...],
    rules: HealthRules,
    *,
    now: datetime,
) -> tuple[HealthVerdict, ...]:
    return tuple(
        verdict
        for name, service in expected.services.items()
        for verdict in judge_service(
            service, [found for found in containers if found.service == name], rules, now=now
        )
    )


def _raise_if_failed(verdicts: tuple[HealthVerdict, ...]) -> None:
    failed = tuple(v for v in verdicts if v.health is ServiceHealth.FAILED)
    if failed:
        what = f"cannot verify {_list_services(failed)}"
        raise UnhealthyError(what, why=_describe(failed), verdicts=failed)


def _raise_late(verdicts: tuple[HealthVerdict, ...], *, timeout_s: float) -> None:
    waiting = (v for v in verdicts if v.health is ServiceHealth.WAITING)
    late = tuple(v for v in waiting if not v.is_running_job)
    what = f"cannot verify {_list_services(late)}"
    why = f"not healthy within {timeout_s:g} s: {_describe(late)}"
    raise UnhealthyError(what, why=why, verdicts=late)


def _list_services(verdicts: Iterable[HealthVerdict]) -> str:
    return ", ".join(dict.fromkeys(verdict.service for verdict in verdicts))


def _describe(verdicts: Iterable[HealthVerdict]) -> str:
    return "; ".join(dict.fromkeys(f"{verdict.service}: {verdict.why}" for verdict in verdicts))


def check_images_and_environment(
    observer: Observer, expected: ExpectedServices, containers: Sequence[ServiceContainer]
) -> None:
    """Refuse a container that runs another image than planned, or has another APP_ENV."""
    for found in containers:
        if not expected.accepts_image(found):
            image = expected.images.get(found.service)
            why = f"it runs image {found.container.image_id}, expected {image}"
            raise OpsctlError(f"cannot verify {found.service}", why=why)
        if expected.app_env and found.service in expected.services:
            _check_app_env(observer, found, expected.app_env)


def _check_app_env(observer: Observer, found: ServiceContainer, app_env: str) -> None:
    read = partial(observer.context.containers.environment, found.container.id)
    actual = ask_patiently(observer, read).get("APP_ENV")
    if actual != app_env:
        why = f"its APP_ENV is {actual or 'not set'}, expected {app_env}"
        raise OpsctlError(f"cannot verify {found.service}", why=why)
