"""A failed deploy restores what ran before, also where little else works any more."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from opsctl.deploy.integrations import DeployIntegrations
from opsctl.deploy.model import DeployOptions, DeployStep, RestorePoint, StepKind
from opsctl.deploy.observe import Observer
from opsctl.deploy.planning.plan import plan_deploy
from opsctl.deploy.recover import fail_deploy
from opsctl.deploy.run import DeployRun
from opsctl.errors import OpsctlError, UnrestoredError
from opsctl.settings.sections.deploy import Deploy
from opsctl.systems.engine.compose import ComposeProject, OnLine, UpOptions
from opsctl.systems.engine.compose_labels import PROJECT_LABEL, SERVICE_LABEL
from opsctl.systems.engine.guarded_engine import AllowedCalls
from opsctl.systems.engine.inventory import EngineNetwork
from opsctl.systems.files.contents import LocalContents
from opsctl.systems.process.run import Command, Finished
from tests.fakes.clock import HandClock
from tests.fakes.containers import MemoryContainers
from tests.fakes.engine_guard import MemoryGuard
from tests.unit.deploy.observations import make_container, make_observation, make_target

SERVICES: dict[str, Any] = {"web": {"image": "web:1"}, "job": {"image": "job:1", "restart": "no"}}
FULL = OpsctlError("cannot write the state", why="the disk is full")
VERIFY = DeployStep(StepKind.VERIFY, "services", "", ("web",))


@dataclass
class FullDisk:
    """A state directory that can only be read."""

    releases: "FullDisk" = field(init=False)

    def __post_init__(self) -> None:
        self.releases = self

    def find(self, _: str) -> object:
        return object()

    def record_step(self, _: object) -> None:
        raise FULL

    def finish(self, *_: object, **__: object) -> None:
        raise FULL


@dataclass
class FakeCompose:
    limits_s: list[float] = field(default_factory=list)
    down_exit_code: int = 0

    def up(self, project: ComposeProject, options: UpOptions, on_line: OnLine) -> Finished:
        del project, on_line
        self.limits_s.append(options.limit_s)
        return Finished(Command(("docker",)), 0)

    def down(
        self, project: ComposeProject, on_line: OnLine, *, stop_timeout_s: int | None = None
    ) -> Finished:
        del project, on_line, stop_timeout_s
        return Finished(Command(("docker",)), self.down_exit_code)


@dataclass
class FakeInventory:
    networks: list[EngineNetwork] = field(default_factory=list)

    def image(self, _: str) -> None:
        return None

    def unused_networks(self) -> tuple[EngineNetwork, ...]:
        return tuple(self.networks)

    def remove_network(self, network: str) -> None:
        self.networks = [found for found in self.networks if found.id != network]


@dataclass
class FailedDeploy:
    """Web ran before, and a deploy of web and job has failed."""

    folder: Path
    compose: FakeCompose = field(default_factory=FakeCompose)
    engine: MemoryContainers = field(default_factory=MemoryContainers)
    inventory: FakeInventory = field(default_factory=FakeInventory)
    clock: HandClock = field(default_factory=HandClock)
    guard: MemoryGuard = field(default_factory=MemoryGuard)
    reported: list[str] = field(default_factory=list)

    def add(self, service: str, **more: Any) -> None:
        labels = {PROJECT_LABEL: "shop-dev", SERVICE_LABEL: service}
        self.engine.wall = self.clock.wall
        self.engine.add(make_container(service, labels=labels, **more))

    def recover(
        self, restore_point: RestorePoint, options: DeployOptions | None = None
    ) -> OpsctlError:
        observation = make_observation(SERVICES)
        options = options or DeployOptions()
        context: Any = SimpleNamespace(
            clock=self.clock,
            containers=self.engine,
            compose=self.compose,
            inventory=self.inventory,
            engine_guard=self.guard,
            store=FullDisk(),
            contents=LocalContents(),
            files=SimpleNamespace(read_text=lambda _: observation.generated.text),
            target=make_target(),
            settings=SimpleNamespace(deploy=Deploy(wait_timeout_s=10)),
            state_directory=self.folder,
            actor=None,
        )
        plan = plan_deploy(observation, options, release="r", prunes=False)
        integrations = DeployIntegrations(report=self.reported.append)
        run = DeployRun(Observer(context), plan, observation, options, integrations)
        run = replace(run, restore_point=restore_point, has_changed_containers=True)
        with pytest.raises(OpsctlError) as caught:
            fail_deploy(run, VERIFY, OpsctlError("cannot verify web", why="it is unhealthy"))
        return caught.value


WEB_BEFORE = RestorePoint(
    images={"web": "sha256:web"}, file="/state/r.json", containers=("id of web",)
)


def test_a_full_state_directory_does_not_keep_the_previous_release_down(tmp_path: Path) -> None:
    failed = FailedDeploy(tmp_path)
    failed.add("web")

    error = failed.recover(WEB_BEFORE)

    assert failed.compose.limits_s
    assert failed.guard.allowed == [AllowedCalls(project="shop-dev")]
    assert error.exit_code == 1
    assert "restored the previous release" in error.what
    assert "could not be recorded" in error.why
    assert "the disk is full" in error.why


def test_the_wait_timeout_of_the_command_counts_for_the_restore_too(tmp_path: Path) -> None:
    failed = FailedDeploy(tmp_path)
    failed.add("web", health="starting")

    error = failed.recover(WEB_BEFORE, DeployOptions(wait_timeout_s=40))

    assert failed.compose.limits_s == [40]
    assert isinstance(error, UnrestoredError)
    assert "within 40 s" in error.why
    assert failed.clock.count >= 40


def test_a_shorter_wait_timeout_does_not_shorten_the_restore(tmp_path: Path) -> None:
    failed = FailedDeploy(tmp_path)
    failed.add("web", started_at=failed.clock.wall)

    error = failed.recover(WEB_BEFORE, DeployOptions(wait_timeout_s=2))

    assert failed.compose.limits_s == [10]
    assert "restored the previous release" in error.what


def test_the_container_of_a_job_that_only_the_failed_release_ran_is_removed(
    tmp_path: Path,
) -> None:
    failed = FailedDeploy(tmp_path)
    failed.add("web")
    failed.add("job", state="exited")

    failed.recover(WEB_BEFORE)

    assert [found.name for found in failed.engine.find()] == ["shop-dev-web-1"]


def test_the_container_of_a_job_that_had_ended_before_stays(tmp_path: Path) -> None:
    failed = FailedDeploy(tmp_path)
    failed.add("web")
    failed.add("job", state="exited")

    failed.recover(replace(WEB_BEFORE, containers=("id of web", "id of job")))

    assert len(failed.engine.find()) == 2


@pytest.mark.parametrize("down_exit_code", [0, 1])
def test_what_compose_leaves_of_a_first_deploy_is_removed_and_no_network_of_others(
    tmp_path: Path, down_exit_code: int
) -> None:
    failed = FailedDeploy(tmp_path, FakeCompose(down_exit_code=down_exit_code))
    failed.add("web", state="created")
    own = EngineNetwork("1", "shop-dev_default", {PROJECT_LABEL: "shop-dev"})
    other = EngineNetwork("2", "shop-prod_default", {PROJECT_LABEL: "shop-prod"})
    failed.inventory.networks = [own, other]

    error = failed.recover(RestorePoint())

    assert "removed what was started" in error.what
    assert failed.engine.find() == ()
    assert failed.inventory.networks == [other]
