"""Whose a container is, and what a sweep takes away."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from opsctl.errors import OpsctlError
from opsctl.sandbox.model import ContainerOwner
from opsctl.sandbox.ownership import LABEL, SPARE, current_owner, is_left_behind, lease_labels
from opsctl.sandbox.remove_leftovers import remove_leftovers
from opsctl.systems.engine.capped_container import NetworkFacts
from opsctl.systems.engine.model import Container
from opsctl.systems.host import Boot
from tests.fakes.capped_runner import ScriptedCappedRunner
from tests.fakes.clock import HandClock
from tests.fakes.host import SetHost

NOW = datetime(2026, 1, 12, 9, tzinfo=UTC)
OWNER = ContainerOwner("host", "boot-1", 42, 100.25)
LABELS = lease_labels(OWNER, now=NOW, runs_s=60)
LATER = NOW + timedelta(seconds=61) + SPARE


@pytest.fixture
def host() -> SetHost:
    return SetHost(processes={42: 100.25})


def test_this_process_is_its_number_and_its_start(host: SetHost) -> None:
    assert current_owner(host, 42) == OWNER


def test_a_process_that_cannot_be_seen_owns_nothing(host: SetHost) -> None:
    with pytest.raises(OpsctlError):
        current_owner(host, 43)


def test_what_belongs_to_a_living_process_stays_however_old(host: SetHost) -> None:
    assert not is_left_behind(LABELS, host, now=LATER, is_running=True)


@pytest.mark.parametrize("processes", [{}, {42: 999.0}])
def test_what_belongs_to_a_dead_one_goes_at_once(processes: dict[int, float]) -> None:
    host = SetHost(processes=processes)

    assert is_left_behind(LABELS, host, now=NOW, is_running=True)


def test_after_a_boot_what_lies_there_goes_and_what_runs_is_anothers(host: SetHost) -> None:
    host.boots = Boot("boot-2", NOW)

    assert is_left_behind(LABELS, host, now=NOW, is_running=False)
    assert not is_left_behind(LABELS, host, now=NOW, is_running=True)
    assert is_left_behind(LABELS, host, now=LATER, is_running=True)


def test_another_machine_has_until_its_lease_ends(host: SetHost) -> None:
    host.hostname = "other"

    assert not is_left_behind(LABELS, host, now=NOW, is_running=False)
    assert is_left_behind(LABELS, host, now=LATER, is_running=True)


def test_labels_that_cannot_be_read_are_nobodys(host: SetHost) -> None:
    broken = {**LABELS, "opsctl.sandbox.pid": "x", "opsctl.sandbox.until": ""}

    assert is_left_behind(broken, host, now=NOW, is_running=True)


def test_the_clean_up_removes_what_is_left_behind_and_nothing_else(host: SetHost) -> None:
    dead = {**LABELS, "opsctl.sandbox.pid": "7"}
    sandboxes = ScriptedCappedRunner()
    for name, labels, state in (
        ("mine", LABELS, "running"),
        ("dead", dead, "running"),
        ("kept-dead", dead, "exited"),
        ("kept-runs", dead, "running"),
        ("prod", {}, "running"),
    ):
        sandboxes.there[name] = Container(name, name, "i", "i", state, labels)
    sandboxes.known_networks = {
        "mine-net": NetworkFacts("mine-net", "mine-net", LABELS),
        "dead-net": NetworkFacts("dead-net", "dead-net", dead),
        "prod-net": NetworkFacts("prod-net", "prod-net"),
    }

    leftovers = remove_leftovers(sandboxes, host, replace(HandClock(), wall=NOW))

    assert leftovers == ("dead", "kept-runs", "dead-net")
    assert set(sandboxes.there) == {"mine", "kept-dead", "prod"}
    assert set(sandboxes.known_networks) == {"mine-net", "prod-net"}


def test_the_label_is_what_is_looked_for() -> None:
    assert LABELS[LABEL] == "1"
