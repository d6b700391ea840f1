"""Read against what real dry runs printed; the edits are named in `dry_runs/`."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from opsctl.deploy.planning.compose_actions import (
    ComposeActions,
    ProjectState,
    ResourceKind,
    read_actions,
)
from opsctl.systems.docker.compose_dry_run import read_event
from opsctl.systems.engine.compose import DryRun, DryRunEnd, DryRunEvent

OUTPUTS = Path(__file__).parent / "dry_runs"


def read_output(version: str, edit: str) -> list[DryRunEvent]:
    text = (OUTPUTS / f"compose-{version}.txt").read_text()
    _, _, rest = text.partition(f"== {edit}\n")
    lines = rest.partition("== ")[0].splitlines()
    return [event for line in lines if (event := read_event(line))]


def make_state(
    before: Mapping[str, str], *, stopped: tuple[str, ...] = (), wanted: Mapping[str, str]
) -> ProjectState:
    return ProjectState(
        project="plcap",
        services=dict(before),
        running=frozenset(before) - frozenset(stopped),
        wanted=dict(wanted),
        networks=frozenset({"plcap_default", "plcap_n"}),
    )


def describe(actions: ComposeActions) -> list[str]:
    return [f"{found.action} {found.name.removeprefix('plcap-')}" for found in actions.actions]


A, B = {"plcap-a-1": "a"}, {"plcap-b-1": "b"}
JOB = {"plcap-job-1": "job"}
BOTH = {"a": "", "b": ""}


@pytest.mark.parametrize("version", ["2.26", "2.40", "5.6"])
@pytest.mark.parametrize(
    ("edit", "before", "expected"),
    [
        ("first", {}, ["create a-1", "create b-1", "create plcap_default", "create plcap_dat"]),
        ("unchanged", A, []),
        ("netmode", A | B, ["recreate a-1", "recreate b-1"]),
        ("scale-1-0", A | B, ["remove a-1"]),
        ("scale-1-3", A, ["recreate a-1", "create a-2", "create a-3"]),
        ("orphan", A | B, ["remove b-1"]),
        ("volume-label", A, []),
        ("missing-image", A, ["create b-1"]),
        ("profile-off", A | B, []),
    ],
)
def test_a_dry_run_says_what_happens_to_each_resource(
    version: str, edit: str, before: dict[str, str], expected: list[str]
) -> None:
    events = read_output(version, edit)

    actions = read_actions(DryRun(tuple(events)), make_state(before, wanted=BOTH))

    assert describe(actions) == expected
    assert actions.was_asked


@pytest.mark.parametrize("version", ["2.26", "2.40", "5.6"])
@pytest.mark.parametrize(
    ("edit", "name", "container_name", "expected"),
    [
        ("container-name", "plcap_a", "plcap_b", ["remove plcap_a", "recreate plcap_b"]),
        ("container-name", "plcap_a", "", ["recreate a-1", "remove plcap_a"]),
        ("odd-name", "0123456789ab_x", "0123456789ab_x", ["recreate 0123456789ab_x"]),
    ],
)
def test_a_recreated_container_may_get_another_name(
    version: str, edit: str, name: str, container_name: str, expected: list[str]
) -> None:
    events = read_output(version, edit)
    state = make_state({name: "a"}, wanted={"a": container_name})

    assert describe(read_actions(DryRun(tuple(events)), state)) == expected


@pytest.mark.parametrize(
    ("edit", "old", "new"),
    [
        ("dependents", ["recreate a-1", "recreate b-1"], ["recreate a-1"]),
        ("healthy", ["recreate a-1", "recreate b-1"], ["recreate a-1"]),
        (
            "restart-true",
            ["recreate a-1", "recreate b-1"],
            ["recreate a-1", "stop and start b-1"],
        ),
        ("links", ["recreate a-1", "recreate b-1"], ["recreate a-1", "stop and start b-1"]),
        ("network", [], ["stop and start a-1", "stop and start b-1", "recreate plcap_n"]),
    ],
)
def test_what_depends_on_the_version_is_read_as_each_version_says(
    edit: str, old: list[str], new: list[str]
) -> None:
    state = make_state(A | B, wanted=BOTH)

    said = {
        version: describe(read_actions(DryRun(tuple(read_output(version, edit))), state))
        for version in ("2.26", "2.40", "5.6")
    }

    assert said == {"2.26": old, "2.40": new, "5.6": new}


@pytest.mark.parametrize("version", ["2.26", "2.40", "5.6"])
@pytest.mark.parametrize("edit", ["stopped", "paused"])
def test_what_does_not_run_is_started(version: str, edit: str) -> None:
    events = read_output(version, edit)

    actions = read_actions(
        DryRun(tuple(events)), make_state(A, stopped=("plcap-a-1",), wanted={"a": ""})
    )

    assert describe(actions) == ["start a-1"]


def test_a_one_shot_that_completed_is_started_again() -> None:
    events = read_output("2.26", "oneshot-again")
    state = make_state(A | JOB, stopped=("plcap-job-1",), wanted={"a": "", "job": ""})

    assert describe(read_actions(DryRun(tuple(events)), state)) == ["recreate a-1", "start job-1"]


def test_a_dry_run_that_begins_to_wait_has_named_everything_but_the_starts() -> None:
    events = read_output("2.26", "first-oneshot")
    before = {"plcap-old-1": "old", "plcap-left-1": "left"}
    state = make_state(before, stopped=tuple(before), wanted={"b": "", "job": "", "old": ""})
    said = tuple(event for event in events if event.word in {"Creating", "Created"})

    actions = read_actions(DryRun(said, DryRunEnd.WAITING), state)

    assert describe(actions) == [
        "create b-1",
        "create job-1",
        "start old-1",
        "create plcap_default",
    ]
    assert actions.was_asked


@pytest.mark.parametrize("end", [DryRunEnd.LATE, DryRunEnd.FAILED])
def test_a_dry_run_that_did_not_end_well_is_no_answer(end: DryRunEnd) -> None:
    actions = read_actions(DryRun((), end, "why"), make_state({}, wanted={}))

    assert (actions.was_asked, actions.complaint) == (False, "why")


def test_a_network_that_is_only_removed_is_recreated_when_the_file_has_it() -> None:
    said = (DryRunEvent("Network", "plcap_n", "Removed"), DryRunEvent("Network", "x", "Removed"))

    actions = read_actions(DryRun(said), make_state({}, wanted={}))

    assert describe(actions) == ["recreate plcap_n", "remove x"]


def test_a_container_that_is_stopped_and_stays_is_stopped_and_started() -> None:
    said = (
        DryRunEvent("Container", "plcap-b-1", "Stopping"),
        DryRunEvent("Container", "plcap-b-1", "Stopped"),
    )

    actions = read_actions(DryRun(said), make_state(A | B, wanted=BOTH))

    assert describe(actions) == ["stop and start b-1"]


def test_a_new_container_belongs_to_the_service_that_its_name_says() -> None:
    said = tuple(
        DryRunEvent("Container", name, "Creating") for name in ("plcap-web-api-12", "fixed", "?-1")
    )

    actions = read_actions(DryRun(said), make_state({}, wanted={"web-api": "", "db": "fixed"}))

    assert [found.service for found in actions.actions] == ["", "db", "web-api"]
    assert actions.of_kind(ResourceKind.NETWORK) == {}


@pytest.mark.parametrize(
    "line",
    [
        'Volume "x" exists but doesn\'t match configuration in compose file. Recreate (data will',
        'time="2026" level=warning msg="Container a Recreate"',
        "Image x Building",
        "",
    ],
)
def test_other_lines_say_nothing_about_a_resource(line: str) -> None:
    assert read_event(line) is None


@pytest.mark.parametrize(
    ("line", "event"),
    [
        (' DRY-RUN MODE -  Volume "plcap_dat"  Creating', ("Volume", "plcap_dat", "Creating")),
        (" Volume plcap_dat Creating ", ("Volume", "plcap_dat", "Creating")),
        (" Container a-1 Error no such image", ("Container", "a-1", "Error")),
        (
            "Recreate (data will be lost)?  Container a-1  Recreate",
            ("Container", "a-1", "Recreate"),
        ),
    ],
)
def test_a_line_is_read_in_the_form_of_either_version(
    line: str, event: tuple[str, str, str]
) -> None:
    assert read_event(line) == DryRunEvent(*event)
