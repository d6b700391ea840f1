"""How a test ended, from what the gate and the engine say."""

from dataclasses import replace

import pytest

from opsctl.findings import Level
from opsctl.sandbox.model import (
    MEBI,
    CappedLimits,
    CommandOutcome,
    ResourceUse,
    SandboxRun,
    SandboxVerdict,
)
from opsctl.sandbox.outcome import (
    describe_use,
    exit_code_of,
    judge,
    near_limits,
    parse_last_words,
    run_finding,
    use_from_sample,
)
from opsctl.sandbox.report import lines, report
from opsctl.systems.engine.capped_container import ResourceSample
from tests.unit.sandbox.conftest import CGROUPS

FIGURES = ResourceUse(100 * MEBI, 1.0, 0.0, 0, 5, 0)
ENDED = CommandOutcome(0, by_signal=False, was_out_of_memory=False, was_late=False, figures=FIGURES)
RUN = SandboxRun(
    "app:1",
    SandboxVerdict.PASSED,
    0,
    10.0,
    CappedLimits(0.5, 512 * MEBI, 256, MEBI),
    FIGURES,
    10,
    0,
    "said",
)


def test_last_words_of_cgroup_v1_are_read() -> None:
    words = parse_last_words((CGROUPS / "v1.after").read_text())

    assert words == (137, True, ResourceUse(3842048, 0.030971792, 0.0, 0, 8, 0))


def test_last_words_of_cgroup_v2_are_read() -> None:
    words = parse_last_words((CGROUPS / "v2.after").read_text())

    assert words == (137, True, ResourceUse(512 * MEBI, 2.481306, 1.817544, 2, 12, 7))


def test_an_old_kernel_tells_less_and_that_is_no_zero() -> None:
    text = "0\nfile /sys/fs/cgroup/cpu.stat\n+usage_usec 5\nfile /run/opsctl/said\n"

    assert parse_last_words(text) == (0, False, ResourceUse(cpu_s=0.000005))


@pytest.mark.parametrize("text", ["", "\n", "killed", "-1\n"])
def test_no_last_words_are_none(text: str) -> None:
    assert parse_last_words(text) is None


KILLS = replace(FIGURES, out_of_memory_kills=1)
ENDS = [
    (ENDED, SandboxVerdict.PASSED),
    (replace(ENDED, exit_code=3), SandboxVerdict.FAILED),
    (replace(ENDED, exit_code=137), SandboxVerdict.FAILED),
    (replace(ENDED, exit_code=137, by_signal=True), SandboxVerdict.KILLED),
    (replace(ENDED, exit_code=139, by_signal=True), SandboxVerdict.KILLED),
    (replace(ENDED, exit_code=137, by_signal=True, figures=KILLS), SandboxVerdict.OUT_OF_MEMORY),
    (replace(ENDED, exit_code=137, figures=KILLS), SandboxVerdict.CHILD_OUT_OF_MEMORY),
    (replace(ENDED, figures=KILLS), SandboxVerdict.CHILD_OUT_OF_MEMORY),
    (
        replace(ENDED, exit_code=143, by_signal=True, figures=KILLS),
        SandboxVerdict.CHILD_OUT_OF_MEMORY,
    ),
    (replace(ENDED, was_late=True), SandboxVerdict.TIMED_OUT),
    (replace(ENDED, was_late=True, figures=KILLS), SandboxVerdict.TIMED_OUT),
    (CommandOutcome(137, True, True, False, ResourceUse()), SandboxVerdict.OUT_OF_MEMORY),  # noqa: FBT003 - in order
]


@pytest.mark.parametrize(("ended", "verdict"), ENDS)
def test_each_end_has_its_own_verdict(ended: CommandOutcome, verdict: SandboxVerdict) -> None:
    assert judge(ended) is verdict


def test_the_exit_code_is_the_commands_own_unless_it_was_late() -> None:
    assert [exit_code_of(replace(ENDED, exit_code=code)) for code in (0, 3, 137)] == [0, 3, 137]
    assert exit_code_of(replace(ENDED, was_late=True)) == 124


def test_without_last_words_the_engines_sample_serves() -> None:
    assert use_from_sample(ResourceSample(MEBI, 2.0, 0.5)) == ResourceUse(MEBI, 2.0, 0.5)
    assert use_from_sample(None) == ResourceUse()


NEAR = [
    (replace(FIGURES, peak_memory_bytes=500 * MEBI), "memory reached 98 % of its cap"),
    (replace(KILLS, peak_memory_bytes=512 * MEBI), "the memory cap killed 1 of its processes"),
    (replace(FIGURES, throttled_s=5.0), "it was throttled 50 % of the time"),
    (replace(FIGURES, throttled_s=99.0), "it was throttled 100 % of the time"),
    (replace(FIGURES, refused_forks=4), "4 forks were refused by the process cap"),
]


@pytest.mark.parametrize(("figures", "said"), NEAR)
def test_a_cap_that_was_nearly_reached_is_reported(figures: ResourceUse, said: str) -> None:
    assert near_limits(replace(RUN, figures=figures)) == (said,)


def test_far_from_every_cap_nothing_is_reported() -> None:
    assert near_limits(RUN) == ()


def test_dropped_output_is_reported() -> None:
    assert near_limits(replace(RUN, dropped_bytes=MEBI)) == ("1.0 MiB of output were dropped",)


def test_figures_stand_beside_their_caps() -> None:
    assert describe_use(RUN) == (
        "memory peak 100 of 512 MiB (20 %), CPU 1.0 s (20% of its 0.5), throttled 0.0 s,"
        " processes 5 of 256"
    )
    assert describe_use(replace(RUN, figures=ResourceUse())) == "this kernel reports no figures"


def test_a_child_that_starved_warns_even_when_all_went_well() -> None:
    starved = replace(RUN, verdict=SandboxVerdict.CHILD_OUT_OF_MEMORY)

    assert run_finding(starved).level is Level.WARNING
    assert run_finding(replace(starved, exit_code=1)).level is Level.CRITICAL


def test_the_report_leaves_with_the_first_code_that_is_not_0() -> None:
    failed = replace(RUN, verdict=SandboxVerdict.FAILED, exit_code=3)

    told = report((RUN, failed, replace(failed, exit_code=5)), ("opsctl-test-0-1",))

    assert told.exit_code == 3
    assert [one.level for one in told.findings] == [Level.OK, Level.CRITICAL, Level.CRITICAL]
    assert lines(told)[0] == "removed opsctl-test-0-1, left behind by a killed run"
    assert "app:1: failed (exit code 3) after 10.0 s" in lines(told)


def test_a_kept_container_is_named_with_what_to_type() -> None:
    told = report((replace(RUN, kept_container="kept-opsctl-test-0-1"),), ())

    assert "  kept: docker logs kept-opsctl-test-0-1; docker rm kept-opsctl-test-0-1" in lines(told)
