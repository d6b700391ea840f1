"""Waits until what was started is well, and holds it to what was planned."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from opsctl.deploy.model import Gate, Running
from opsctl.deploy.observe import Observer
from opsctl.deploy.verify.service_health import Health, Rules, Verdict, judge
from opsctl.errors import OpsctlError
from opsctl.systems.engine.compose_model import Service

POLL_S = 0.1
GATE_POLL_S = 1.0

Tell = Callable[[str], None]


class UnwellError(OpsctlError):
    """A service did not become well; `verdicts` say which and why."""

    code = "unwell"

    def __init__(self, what: str, *, why: str, verdicts: tuple[Verdict, ...] = ()) -> None:
        super().__init__(what, why=why)
        self.verdicts = verdicts


@dataclass(frozen=True, slots=True)
class Expected:
    """What must be true of the running project."""

    services: Mapping[str, Service]
    images: Mapping[str, str | None]
    """Service to the image id that it must run."""
    app_env: str | None = None
    restarts_before: Mapping[str, int] = field(default_factory=dict)


def wait_well(
    observer: Observer, wanted: Expected, *, timeout_s: float, tell: Tell = lambda _: None
) -> tuple[Running, ...]:
    """Wait until every service is well; fail at once when one cannot become so any more."""
    site = observer.site
    settings = site.settings.deploy
    rules = Rules(settings.stable_s, settings.crash_restarts, wanted.restarts_before)
    # Times of containers are the engine's; so the window is measured by its clock.
    ahead = site.containers.now() - site.clock.now()
    end = site.clock.steady() + timeout_s
    told = ""
    while True:
        running = observer.running()
        verdicts = _judged(wanted, running, rules, now=site.clock.now() + ahead)
        if all(one.health in {Health.WELL, Health.DONE} for one in verdicts):
            return running
        _fail_on(verdicts, is_late=site.clock.steady() >= end, timeout_s=timeout_s)
        waiting = _said(one for one in verdicts if one.health is Health.WAITING)
        if waiting != told:
            told = waiting
            tell(f"waiting for {waiting}")
        site.clock.sleep(_pause_s(verdicts))


def _pause_s(verdicts: tuple[Verdict, ...]) -> float:
    """Look again soon, and as soon as a window is over: whoever deploys waits for it."""
    windows = (one.left_s for one in verdicts if one.left_s > 0)
    return min(POLL_S, *windows, POLL_S)


def _judged(
    wanted: Expected, running: tuple[Running, ...], rules: Rules, *, now: datetime
) -> tuple[Verdict, ...]:
    found = {name: [one for one in running if one.service == name] for name in wanted.services}
    return tuple(
        verdict
        for name, service in wanted.services.items()
        for verdict in judge(service, found[name], rules, now=now)
    )


def _fail_on(verdicts: tuple[Verdict, ...], *, is_late: bool, timeout_s: float) -> None:
    failed = tuple(one for one in verdicts if one.health is Health.FAILED)
    if failed:
        raise UnwellError(
            f"{_names(failed)} did not become well", why=_said(failed), verdicts=failed
        )
    late = tuple(one for one in verdicts if one.health is Health.WAITING)
    if is_late:
        what = f"{_names(late)} did not become well within {timeout_s:g} s"
        raise UnwellError(what, why=_said(late), verdicts=late)


def _names(verdicts: Iterable[Verdict]) -> str:
    return ", ".join(dict.fromkeys(one.service for one in verdicts))


def _said(verdicts: Iterable[Verdict]) -> str:
    return "; ".join(dict.fromkeys(f"{one.service}: {one.why}" for one in verdicts))


def hold_to_plan(observer: Observer, wanted: Expected, running: Sequence[Running]) -> None:
    """Refuse another image than planned, and a container that does not know its environment."""
    for one in running:
        image = wanted.images.get(one.service)
        if image and one.container.image_id != image:
            why = f"it runs {one.container.image_id}, and {image} was expected"
            raise OpsctlError(f"{one.service} runs another image", why=why)
        if wanted.app_env and one.service in wanted.services:
            _hold_to_environment(observer, one, wanted.app_env)


def _hold_to_environment(observer: Observer, one: Running, app_env: str) -> None:
    inside = observer.site.containers.environment(one.container.id).get("APP_ENV")
    if inside != app_env:
        why = f"inside it APP_ENV is {inside or 'not set'}"
        raise OpsctlError(f"{one.service} does not run as {app_env}", why=why)


def wait_for_data(observer: Observer, gates: Sequence[Gate], *, tell: Tell) -> None:
    """Wait until every claim about data holds."""
    site = observer.site
    timeout_s = site.settings.deploy.gate_timeout_s
    end = site.clock.steady() + timeout_s
    for gate in gates:
        while (objection := gate.objection()) is not None:
            if site.clock.steady() >= end:
                what = f"the data is not as it must be within {timeout_s:g} s: {gate.name}"
                raise OpsctlError(what, why=objection)
            tell(f"waiting for {gate.name}: {objection}")
            site.clock.sleep(GATE_POLL_S)
