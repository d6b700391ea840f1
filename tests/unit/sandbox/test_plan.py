"""What a test is made of, and what it is refused."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from opsctl.errors import OpsctlError, RefusedError, UsageError
from opsctl.sandbox.model import (
    MEBI,
    TEMPORARY,
    BindMount,
    CappedLimits,
    PlanInputs,
    SandboxRequest,
)
from opsctl.sandbox.plan import plan, require_within_ceiling
from opsctl.settings.sections.sandbox import Sandbox
from tests.unit.sandbox.conftest import MARKS

WISH = SandboxRequest(("app:1",))


def test_a_test_gets_the_default_caps_and_nothing_else(rules: Sandbox, stage: PlanInputs) -> None:
    (spec,) = plan(WISH, rules, stage, MARKS).runs

    assert spec.limits == CappedLimits(0.5, 512 * MEBI, 256, 256 * MEBI)
    assert (spec.network, spec.user, spec.binds) == ("none", "65534:65534", ())
    assert spec.labels == {"opsctl.sandbox": "1"}


RAISED = [
    ({"cpus": 0.51}, "0.51 CPU (at most 0.5)"),
    ({"memory_mb": 513}, "513 MiB of memory (at most 512)"),
    ({"processes": 257}, "257 processes (at most 256)"),
]


@pytest.mark.parametrize(("raised", "said"), RAISED)
def test_a_raised_cap_is_refused(raised: dict[str, Any], said: str, stage: PlanInputs) -> None:
    with pytest.raises(RefusedError) as caught:
        plan(WISH, Sandbox(**raised), stage, MARKS)

    assert caught.value.exit_code == 5
    assert said in caught.value.what


def test_a_lowered_cap_holds_and_also_limits_the_folders(stage: PlanInputs) -> None:
    rules = Sandbox(cpus=0.1, memory_mb=64, processes=8)

    (spec,) = plan(WISH, rules, stage, MARKS).runs

    assert spec.limits == CappedLimits(0.1, 64 * MEBI, 8, 64 * MEBI)


def test_what_a_service_asks_for_is_held_to_the_ceiling_too(
    rules: Sandbox, stage: PlanInputs
) -> None:
    greedy = replace(WISH, limits=CappedLimits(2.0, MEBI, 8, MEBI))

    with pytest.raises(RefusedError):
        plan(greedy, rules, stage, MARKS)


def test_the_ceiling_itself_is_allowed() -> None:
    limits = CappedLimits(0.5, 512 * MEBI, 256, MEBI)

    assert require_within_ceiling(limits) == limits


@pytest.mark.parametrize("user", ["root", "0", "0:0", "root:root", "1000:0", "app:root"])
def test_root_and_its_group_are_refused(user: str, stage: PlanInputs) -> None:
    with pytest.raises(RefusedError, match="cannot run as"):
        plan(WISH, Sandbox(user=user), stage, MARKS)


def test_a_number_alone_does_not_bring_roots_group(stage: PlanInputs) -> None:
    (spec,) = plan(WISH, Sandbox(user="1000"), stage, MARKS).runs

    assert spec.user == "1000:1000"


COMMANDS = [
    (SandboxRequest(("app:1",)), ("run", "default")),
    (SandboxRequest(("app:1",), ("mine",)), ("run", "mine")),
    (SandboxRequest(("app:1",), entrypoint=("other",)), ("other",)),
    (SandboxRequest(("app:1",), ("mine",), entrypoint=()), ("mine",)),
    (SandboxRequest(("app:2",), ("mine",)), ("mine",)),
]


@pytest.mark.parametrize(("wish", "command"), COMMANDS)
def test_the_command_is_what_the_engine_would_run(
    wish: SandboxRequest, command: tuple[str, ...], rules: Sandbox, stage: PlanInputs
) -> None:
    (spec,) = plan(wish, rules, stage, MARKS).runs

    assert spec.command == command


def test_an_image_without_a_command_needs_one(rules: Sandbox, stage: PlanInputs) -> None:
    with pytest.raises(UsageError, match="no command to run in bare:1"):
        plan(SandboxRequest(("bare:1",)), rules, stage, MARKS)


def test_volumes_of_the_image_are_memory_and_no_disk(rules: Sandbox, stage: PlanInputs) -> None:
    (spec,) = plan(WISH, rules, stage, MARKS).runs

    assert spec.writable == (TEMPORARY, "/data")


def test_a_mount_over_a_volume_takes_its_place(rules: Sandbox, stage: PlanInputs) -> None:
    wish = replace(WISH, binds=(BindMount(Path("/srv/data"), "/data"),))

    (spec,) = plan(wish, rules, stage, MARKS).runs

    assert spec.writable == (TEMPORARY,)
    assert spec.binds == wish.binds


@pytest.mark.parametrize("source", ["/", "/run", "/run/docker.sock"])
def test_what_leads_to_the_engine_is_not_mounted(
    source: str, rules: Sandbox, stage: PlanInputs
) -> None:
    wish = replace(WISH, binds=(BindMount(Path(source), "/x"),))

    with pytest.raises(RefusedError) as caught:
        plan(wish, rules, stage, MARKS)

    assert "root on this machine" in caught.value.why


@pytest.mark.parametrize("target", ["/", "/proc", "/sys/fs/cgroup", "/dev/null", "/run/opsctl"])
def test_what_hides_the_caps_is_not_mounted(target: str, rules: Sandbox, stage: PlanInputs) -> None:
    wish = replace(WISH, binds=(BindMount(Path("/srv"), target),))

    with pytest.raises(RefusedError, match="cannot mount"):
        plan(wish, rules, stage, MARKS)


@pytest.mark.parametrize("target", ["work", "/data/../etc", ""])
def test_a_place_in_the_container_is_a_full_path(
    target: str, rules: Sandbox, stage: PlanInputs
) -> None:
    wish = replace(WISH, binds=(BindMount(Path("/srv"), target),))

    with pytest.raises(UsageError):
        plan(wish, rules, stage, MARKS)


def test_nothing_is_mounted_through_a_remote_engine(rules: Sandbox, stage: PlanInputs) -> None:
    wish = replace(WISH, binds=(BindMount(Path("/srv"), "/x"),))

    with pytest.raises(RefusedError) as caught:
        plan(wish, rules, replace(stage, socket=""), MARKS)

    assert "another machine" in caught.value.why


def test_servers_have_a_network_of_their_own(rules: Sandbox, stage: PlanInputs) -> None:
    wish = replace(WISH, services=("timescale", "redis"))

    planned = plan(wish, rules, stage, MARKS)

    specs = (*planned.services.values(), *planned.runs)
    assert {spec.network for spec in specs} == {planned.private_network} == {MARKS.name}
    assert [spec.alias for spec in planned.services.values()] == ["timescale", "redis"]
    assert {spec.limits for spec in specs} == {specs[0].limits}
    assert not any(spec.user.startswith("0") for spec in specs)


def test_a_test_gets_the_addresses_of_its_servers(rules: Sandbox, stage: PlanInputs) -> None:
    wish = replace(WISH, services=("timescale", "redis"), environment={"REDIS_DB": "3"})

    planned = plan(wish, rules, stage, MARKS)

    told = planned.runs[0].environment
    url = f"postgresql://postgres:{MARKS.password}@timescale:5432/test"
    assert told["DATABASE_URL"] == told["TIMESCALE_URL"] == url
    assert (told["REDIS_HOST"], told["REDIS_PORT"]) == ("redis", "6379")
    assert told["REDIS_DB"] == "3"
    assert planned.services["timescale"].environment["POSTGRES_PASSWORD"] == MARKS.password


def test_servers_see_nothing_of_the_tests_mounts_and_variables(
    rules: Sandbox, stage: PlanInputs
) -> None:
    binds = (BindMount(Path("/srv"), "/x"),)
    wish = SandboxRequest(
        ("app:1",), environment={"TOKEN": "canary"}, binds=binds, services=("redis",)
    )

    served = plan(wish, rules, stage, MARKS).services["redis"]

    assert served.binds == ()
    assert "TOKEN" not in served.environment


def test_servers_and_another_network_do_not_go_together(rules: Sandbox, stage: PlanInputs) -> None:
    with pytest.raises(UsageError):
        plan(SandboxRequest(("app:1",), services=("redis",), network="tests"), rules, stage, MARKS)


def test_each_image_of_a_matrix_is_a_run(rules: Sandbox, stage: PlanInputs) -> None:
    wish = SandboxRequest(("app:1", "app:2"), ("check",))

    runs = plan(wish, rules, stage, MARKS).runs

    assert [(spec.image, spec.command) for spec in runs] == [
        ("app:1", ("run", "check")),
        ("app:2", ("check",)),
    ]
    assert len({spec.name for spec in runs}) == 2


def test_a_plan_lists_its_steps_and_no_secret(rules: Sandbox, stage: PlanInputs) -> None:
    wish = SandboxRequest(
        ("app:1",),
        environment={"TOKEN": "canary"},
        binds=(BindMount(Path("/srv"), "/x", writable=True),),
        services=("postgres",),
        timeout_s=60,
    )

    steps = plan(wish, rules, stage, MARKS).steps

    assert steps == (
        "network opsctl-test-0a1b: has no way out",
        "service pg:1: 0.5 CPU, 512 MiB, 256 processes, user 65534:65534, network opsctl-test-0a1b",
        "test app:1: 0.5 CPU, 512 MiB, 256 processes, user 65534:65534, network opsctl-test-0a1b,"
        " /srv at /x (writable), 60 s",
    )


def test_the_plan_shows_no_secret_when_it_is_printed(rules: Sandbox, stage: PlanInputs) -> None:
    wish = replace(WISH, command=("--token", "canary"), environment={"TOKEN": "canary"})

    planned = plan(replace(wish, services=("postgres",)), rules, stage, MARKS)

    assert "canary" not in repr((wish, planned))
    assert MARKS.secret not in repr((planned, MARKS))
    assert MARKS.password not in repr((planned, MARKS))


def test_no_container_gets_the_mark_of_its_own_end(rules: Sandbox, stage: PlanInputs) -> None:
    planned = plan(replace(WISH, services=("postgres", "redis")), rules, stage, MARKS)

    for spec in (*planned.runs, *planned.services.values()):
        assert MARKS.secret not in str((dict(spec.environment), spec.command, spec.labels))


def test_a_writable_folder_is_a_full_path(stage: PlanInputs) -> None:
    with pytest.raises(OpsctlError):
        plan(WISH, Sandbox(writable=("tmp",)), stage, MARKS)
