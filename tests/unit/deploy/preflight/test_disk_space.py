from pathlib import Path
from typing import Any

import pytest

from opsctl.deploy.preflight.disk_space import MIB, check_disk_space
from opsctl.systems.host import Usage
from tests.unit.deploy.observations import make_observation, make_service_container, run_check

SERVICES = {"web": {"image": "web:1"}}


def _usage(free_mib: int, percent: float) -> Usage:
    return Usage(Path("/var"), 10_000 * MIB, 0, free_mib * MIB, percent)


@pytest.mark.parametrize(
    ("usage", "issues"),
    [
        (_usage(5_000, 50), []),
        (_usage(900, 50), [("disk space", False)]),
        (_usage(5_000, 80), [("disk space", True)]),
        (None, []),
    ],
)
def test_there_must_be_space_for_what_will_be_fetched(
    usage: Usage | None, issues: list[Any]
) -> None:
    assert run_check(check_disk_space, make_observation(SERVICES, disk=usage)) == issues


def test_a_full_disk_only_warns_when_nothing_is_fetched() -> None:
    web = make_service_container("web")
    observation = make_observation(SERVICES, web, disk=_usage(1, 99))

    assert run_check(check_disk_space, observation) == [("disk space", True)]
