"""A run from the first container to the last removal, on an engine that is scripted."""

import pytest

from opsctl.errors import OpsctlError, RefusedError, UnreachableError
from opsctl.progress import NoProgress
from opsctl.sandbox.model import PlanInputs, SandboxPlan, SandboxRequest, SandboxRun, SandboxVerdict
from opsctl.sandbox.plan import plan
from opsctl.sandbox.run import RunParts, run
from opsctl.settings.sections.sandbox import Sandbox
from opsctl.systems.engine.capped_container import OutputPiece, OutputStream
from tests.fakes.capped_runner import Script, ScriptedCappedRunner
from tests.unit.sandbox.conftest import MARKS

SAYS = (OutputPiece(OutputStream.OUT, b"out\n"), OutputPiece(OutputStream.ERROR, b"err\n"))


class Site:
    """An engine, what was heard, and a plan to run on it."""

    def __init__(self, rules: Sandbox, stage: PlanInputs) -> None:
        self.rules, self.stage = rules, stage
        self.sandboxes = ScriptedCappedRunner(known_images=dict(stage.images))
        self.heard: list[OutputPiece] = []

    def plan(self, wish: SandboxRequest) -> SandboxPlan:
        return plan(wish, self.rules, self.stage, MARKS)

    def run(self, wish: SandboxRequest, *, keep: bool = False) -> tuple[SandboxRun, ...]:
        box = self.sandboxes
        parts = RunParts(box, box.clock, self.rules, self.heard.append, NoProgress())
        return run(self.plan(wish), parts, MARKS, keep=keep)

    @property
    def is_clean(self) -> bool:
        return not self.sandboxes.there and not self.sandboxes.known_networks


@pytest.fixture
def site(rules: Sandbox, stage: PlanInputs) -> Site:
    return Site(rules, stage)


def test_what_it_says_comes_through_and_its_code_too(site: Site) -> None:
    site.sandboxes.scripts["app:1"] = Script(SAYS, exit_code=3)

    (told,) = site.run(SandboxRequest(("app:1",)))

    assert site.heard == list(SAYS)
    assert (told.verdict, told.exit_code) == (SandboxVerdict.FAILED, 3)
    assert (told.figures.cpu_s, told.output_bytes) == (0.25, 8)
    assert site.is_clean


def test_nothing_runs_where_a_cap_does_not_hold(site: Site) -> None:
    site.sandboxes.scripts["app:1"] = Script(SAYS, memory=2**30)

    with pytest.raises(RefusedError) as caught:
        site.run(SandboxRequest(("app:1",)))

    assert "memory is capped at 1073741824" in caught.value.why
    (channel,) = site.sandboxes.channels.values()
    assert channel.sent == []
    assert site.is_clean


def test_an_entrypoint_that_reports_nothing_is_not_waited_for_forever(site: Site) -> None:
    site.sandboxes.scripts["app:1"] = Script(silent=True)

    with pytest.raises(OpsctlError, match="cannot read the caps"):
        site.run(SandboxRequest(("app:1",)))

    assert site.is_clean


@pytest.mark.parametrize(
    ("ends", "words", "wall_s"),
    [
        ("at TERM", [b"TERM\n"], 60.0),
        ("at KILL", [b"TERM\n", b"KILL\n"], 65.0),
        ("when taken down", [b"TERM\n", b"KILL\n"], 70.0),
    ],
)
def test_one_that_is_late_is_asked_then_killed_then_taken_down(
    site: Site, ends: str, words: list[bytes], wall_s: float
) -> None:
    site.sandboxes.scripts["app:1"] = Script(ends=ends)

    (told,) = site.run(SandboxRequest(("app:1",), timeout_s=60))

    (channel,) = site.sandboxes.channels.values()
    assert channel.sent[1:] == words
    assert (told.verdict, told.exit_code) == (SandboxVerdict.TIMED_OUT, 124)
    assert told.wall_s == pytest.approx(wall_s)
    assert ("kill opsctl-test-0a1b-1" in site.sandboxes.done) == (ends == "when taken down")
    assert site.is_clean


def test_one_that_was_taken_down_is_measured_by_the_engine(site: Site) -> None:
    site.sandboxes.scripts["app:1"] = Script(ends="when taken down")

    (told,) = site.run(SandboxRequest(("app:1",), timeout_s=60))

    assert (told.figures.peak_memory_bytes, told.figures.cpu_s) == (1_000_000, 2.5)


def test_a_starved_command_and_a_starved_child_are_told_apart(site: Site) -> None:
    site.sandboxes.scripts = {
        "app:1": Script(exit_code=137, said="Killed", oom_kills=1),
        "app:2": Script(exit_code=137, oom_kills=1),
    }

    told = site.run(SandboxRequest(("app:1", "app:2")))

    assert [one.verdict for one in told] == [
        SandboxVerdict.OUT_OF_MEMORY,
        SandboxVerdict.CHILD_OUT_OF_MEMORY,
    ]


def test_servers_are_ready_before_the_test_starts(site: Site) -> None:
    site.sandboxes.scripts = {"pg:1": Script(ends="never"), "rd:1": Script(ends="never")}
    site.sandboxes.answers = [2, 2, 0, 1, 0]

    site.run(SandboxRequest(("app:1",), services=("postgres", "redis")))

    did = [step.replace(f"{MARKS.name}-", "") for step in site.sandboxes.done]
    assert did[:4] == ["create postgres", "start postgres", "create redis", "start redis"]
    assert did[4:9] == ["execute postgres pg_isready"] * 3 + ["execute redis redis-cli"] * 2
    assert did[9:] == ["create 1", "start 1", "discard 1", "discard redis", "discard postgres"]
    assert site.is_clean


def test_a_server_that_ends_is_reported_with_its_last_words(site: Site) -> None:
    site.sandboxes.scripts["rd:1"] = Script(ends="when asked")

    with pytest.raises(OpsctlError, match="cannot use the test's redis") as caught:
        site.run(SandboxRequest(("app:1",), services=("redis",)))

    assert "said why" in caught.value.why
    assert site.is_clean


def test_a_server_that_is_never_ready_is_given_up(site: Site) -> None:
    site.sandboxes.scripts["rd:1"] = Script(ends="never")
    site.sandboxes.answers = [1] * 10_000

    with pytest.raises(UnreachableError, match="not ready within 120 s"):
        site.run(SandboxRequest(("app:1",), services=("redis",)))

    assert site.is_clean


def test_an_interruption_leaves_nothing(site: Site) -> None:
    site.sandboxes.scripts["app:1"] = Script(SAYS, ends="never")

    def interrupted(_: OutputPiece) -> None:
        raise KeyboardInterrupt

    box = site.sandboxes
    parts = RunParts(box, box.clock, site.rules, interrupted, NoProgress())
    with pytest.raises(KeyboardInterrupt):
        run(site.plan(SandboxRequest(("app:1",), services=("redis",))), parts, MARKS)

    assert site.is_clean


def test_a_kept_container_is_all_that_stays(site: Site) -> None:
    (told,) = site.run(SandboxRequest(("app:1",)), keep=True)

    assert told.kept_container == "kept-opsctl-test-0a1b-1"
    assert set(site.sandboxes.there) == {told.kept_container}


def test_an_engine_that_is_unreachable_is_reported(site: Site) -> None:
    site.sandboxes.is_away = True

    with pytest.raises(UnreachableError):
        site.run(SandboxRequest(("app:1",)))
