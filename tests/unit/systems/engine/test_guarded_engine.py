"""Which calls a plan allows; the order is that of compose, as its proxy was seen to ask."""

import pytest

from opsctl.systems.engine.guarded_engine import (
    CREATING,
    RECREATING,
    REMOVING,
    REPLACING,
    RESTARTING,
    STARTING,
    Actions,
    AllowedCalls,
    CallTarget,
    EngineCall,
    is_allowed,
)

WEB = "shop-dev-web-1"
NEW_WEB = f"0123456789ab_{WEB}"
CREATE_CALLS = [("create", WEB), ("connect", WEB), ("copy files into", WEB), ("start", WEB)]
RECREATE_CALLS = [
    ("create", NEW_WEB),
    ("connect", NEW_WEB),
    ("stop", WEB),
    ("remove", WEB),
    ("rename", NEW_WEB),
    ("copy files into", WEB),
    ("start", WEB),
]
RESTART_CALLS = [("stop", WEB), ("disconnect", WEB), ("connect", WEB), ("start", WEB)]
REMOVE_CALLS = [("stop", WEB), ("remove", WEB)]
EVERYTHING = CREATE_CALLS + RECREATE_CALLS + RESTART_CALLS + REMOVE_CALLS


def container_call(action: str, name: str = WEB, **more: str) -> EngineCall:
    return EngineCall(CallTarget.CONTAINER, action, name, **more)


@pytest.mark.parametrize(
    ("planned", "calls"),
    [
        (CREATING, CREATE_CALLS),
        (RECREATING, RECREATE_CALLS),
        (STARTING, [("start", WEB)]),
        (RESTARTING, RESTART_CALLS),
        (RESTARTING, [("restart", WEB)]),
        (REMOVING, REMOVE_CALLS),
        # Started again after a race was lost, compose finds it half done.
        (RECREATING, [("start", WEB)]),
        (RECREATING, [("create", WEB), ("start", WEB)]),
        (CREATING, [("start", WEB)]),
    ],
)
def test_a_planned_change_is_made(planned: Actions, calls: list[tuple[str, str]]) -> None:
    allowed = AllowedCalls({WEB: planned})

    assert [call for call in calls if not is_allowed(container_call(*call), allowed)] == []


@pytest.mark.parametrize(
    ("planned", "action"),
    [
        (frozenset(), "start"),
        (frozenset(), "stop"),
        (STARTING, "stop"),
        (STARTING, "create"),
        (STARTING, "remove"),
        (CREATING, "stop"),
        (CREATING, "remove"),
        (RESTARTING, "create"),
        (RESTARTING, "remove"),
        (REMOVING, "start"),
        (REMOVING, "create"),
        (RECREATING, "pause"),
        (RECREATING, "update"),
    ],
)
def test_a_change_of_another_kind_is_refused(planned: Actions, action: str) -> None:
    assert not is_allowed(container_call(action), AllowedCalls({WEB: planned}))


@pytest.mark.parametrize("call", EVERYTHING)
def test_a_container_that_is_not_in_the_plan_is_left_alone(call: tuple[str, str]) -> None:
    allowed = AllowedCalls({"shop-dev-db-1": RECREATING}, {"shop-dev_web": REPLACING})

    assert not is_allowed(container_call(*call, service="web", project="shop-dev"), allowed)


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (EngineCall(CallTarget.NETWORK, "create", "shop-dev_default"), True),
        (EngineCall(CallTarget.NETWORK, "remove", "shop-dev_default"), False),
        (EngineCall(CallTarget.NETWORK, "create", "other_default"), False),
        (EngineCall(CallTarget.VOLUME, "create", "shop-dev_data"), True),
        (EngineCall(CallTarget.VOLUME, "remove", "shop-dev_data"), False),
        (EngineCall(CallTarget.VOLUME, "create", "other_data"), False),
        (EngineCall(CallTarget.IMAGE, "pull", "busybox:1.37"), False),
        (EngineCall(CallTarget.IMAGE, "remove", "busybox:1.37"), False),
        (EngineCall(CallTarget.ENGINE, "POST containers/prune"), False),
    ],
)
def test_networks_and_volumes_are_allowed_by_name_and_images_never(
    call: EngineCall, *, expected: bool
) -> None:
    actions: Actions = frozenset({"create"})
    allowed = AllowedCalls(
        networks={"shop-dev_default": actions}, volumes={"shop-dev_data": actions}
    )

    assert is_allowed(call, allowed) is expected


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (container_call("remove", project="shop-dev"), True),
        (container_call("remove", project="shop-prod"), False),
        (container_call("stop", name="somebody's"), False),
        (EngineCall(CallTarget.NETWORK, "remove", "n", project="shop-dev"), True),
        (EngineCall(CallTarget.VOLUME, "create", "v", project="shop-dev"), True),
        (EngineCall(CallTarget.VOLUME, "remove", "v", project="shop-dev"), False),
        (EngineCall(CallTarget.IMAGE, "remove", "busybox:1.37"), False),
        (EngineCall(CallTarget.ENGINE, "POST volumes/prune"), False),
    ],
)
def test_a_whole_project_may_change_but_for_its_volumes_and_other_projects(
    call: EngineCall, *, expected: bool
) -> None:
    assert is_allowed(call, AllowedCalls(project="shop-dev")) is expected


def test_a_container_whose_own_name_looks_temporary_is_found() -> None:
    allowed = AllowedCalls({NEW_WEB: STARTING})

    assert is_allowed(container_call("start", NEW_WEB), allowed)
    assert not is_allowed(container_call("start", WEB), allowed)


def test_a_call_is_printed_with_its_service() -> None:
    call = container_call("stop", "shop-dev-db-1", service="db")

    assert str(call) == "stop container shop-dev-db-1 (service db)"
