"""Stops an environment: containers and networks go, volumes stay, always."""

from dataclasses import dataclass

from opsctl.deploy.model import ONE_OFF, PROJECT, SERVICE
from opsctl.deploy.observe import Observer
from opsctl.deploy.verify.wait import Tell
from opsctl.errors import OpsctlError
from opsctl.systems.engine.model import Container

STOP_S = 10


@dataclass(frozen=True, slots=True)
class DownStep:
    what: str
    reason: str


@dataclass(frozen=True, slots=True)
class DownPlan:
    env: str
    project: str
    engine: str
    steps: tuple[DownStep, ...]
    volumes: str = "every volume stays"

    @property
    def is_idle(self) -> bool:
        return not self.steps


def plan_down(observer: Observer) -> DownPlan:
    target = observer.site.target
    steps = tuple(_step(one) for one in observer.containers())
    return DownPlan(target.env, target.project, target.engine_name, steps)


def _step(one: Container) -> DownStep:
    is_one_off = one.labels.get(ONE_OFF, "").casefold() == "true"
    whose = "a one-off run of" if is_one_off else "it runs"
    return DownStep(f"remove {one.name}", f"{whose} {one.labels.get(SERVICE, '')} ({one.state})")


def take_down(observer: Observer, *, tell: Tell) -> DownPlan:
    """Remove the project's containers and networks, one-off runs included."""
    site, planned = observer.site, plan_down(observer)
    # Compose leaves those, and then cannot remove the network that they hang on.
    for one in site.containers.find(f"{PROJECT}={site.target.project}", f"{ONE_OFF}=True"):
        site.containers.remove(one.id, force=True)
    done = site.compose.down(
        site.target.compose_project(), lambda line: tell(line.text), stop_timeout_s=STOP_S
    )
    if done.exit_code:
        raise OpsctlError(f"could not stop {site.target.project}", why=done.complaint)
    left = observer.containers()
    if left:
        names = ", ".join(one.name for one in left)
        raise OpsctlError(f"could not stop all of {site.target.project}", why=f"left: {names}")
    return planned
