"""Every part of the kit in every fault of Redis: the documented outcome, within its deadline."""

import queue
from collections.abc import Callable
from typing import Any

import pytest

from opsctl.errors import OpsctlError
from opsctl.kit import Client
from opsctl.systems.clock import SystemClock
from tests.contract.kit.faces import loop
from tests.engines.redis import OwnRedis
from tests.integration.kit.conftest import QUICK
from tests.integration.kit.parts import PARTS, Kit
from tests.redis_faults import FAULTS, stage
from tests.waiting import wait_for

# Besides the one deadline that a fault may cost: the machine does other things as well.
SLACK_S = 1.5
AWAY, LOCKED = "UnreachableError", "SettingsError"
FAILED, REFUSED, LIMITED = "OpsctlError", "RefusedError", "LimitedError"
ENTRY, SESSION = {"q": "1"}, {"user": 7}

# Who is away is asked once; a wrong password is told once, and from then on Redis is away.
COLUMNS = {
    "slow": 0,
    **dict.fromkeys(("killed", "hung", "too slow"), 1),
    "wrong password": 2,
    **dict.fromkeys(("wiped", "restarted"), 3),
    "full": 4,
    "replica": 5,
    "no rights": 6,
}
TABLE: dict[str, dict[str, tuple[Any, ...]]] = {
    # part: deed: well (slow), away, wrong password, emptied, full, replica, no rights
    "client": {
        "reads": (b"1", AWAY, LOCKED, None, b"1", b"1", FAILED),
        "writes": (b"OK", AWAY, AWAY, b"OK", FAILED, REFUSED, FAILED),
        "pipelines": (2, AWAY, AWAY, 2, 2, 2, 2),
    },
    "closed limiter": {
        "allows": (True, False, False, False, False, False, False),
        "waits": (True, *[LIMITED] * 6),
    },
    # Redis may have granted a whole limit just before: shares begin a window later.
    "local limiter": {
        "allows": (True, False, False, False, False, False, False),
        "waits": (True, *[LIMITED] * 6),
    },
    "open limiter": {
        "allows": (True, True, True, False, True, True, True),
        "waits": (True, True, True, LIMITED, True, True, True),
    },
    "limited http": {"asks": (200, LIMITED, LIMITED, 200, LIMITED, LIMITED, LIMITED)},
    "cache": {
        "computes": (7, 7, 7, 7, 7, 7, 7),
        "reads": (1, None, None, None, 1, 1, None),
        "writes": (True, False, False, True, False, False, False),
        "counts": (True, True, True, True, True, True, True),
        "removes": (0, 0, 0, 0, 0, 0, 0),
    },
    # What is in memory is served by memory; a wiped server tells nobody that it was.
    "layered cache": {
        "computes": (7, 7, 7, 7, 7, 7, 7),
        "writes": (True, False, False, True, False, False, False),
        "counts": (True, True, True, True, True, True, True),
        "removes": (0, 0, 0, 0, 0, 0, 0),
    },
    "hashes": {
        "reads": (ENTRY, None, None, None, ENTRY, ENTRY, None),
        "writes": (True, False, False, True, False, False, False),
        "removes": (0, 0, 0, 0, 0, 0, 0),
        "is well": (True, False, False, True, True, True, True),
    },
    "sessions": {
        # Reading one that slides prolongs it, and is a write.
        "reads": (SESSION, AWAY, LOCKED, None, SESSION, REFUSED, FAILED),
        "creates": (True, AWAY, AWAY, True, FAILED, REFUSED, FAILED),
        "rotates": (None, AWAY, AWAY, None, None, None, FAILED),
        "ends": (False, AWAY, AWAY, False, False, REFUSED, FAILED),
    },
    "queue": {
        "takes": ([1], AWAY, LOCKED, [], [1], REFUSED, FAILED),
        "puts": (True, AWAY, AWAY, True, FAILED, REFUSED, FAILED),
        "says how long": (True, AWAY, AWAY, True, True, True, FAILED),
    },
}


def outcome(deed: Callable[[], Any]) -> Any:
    try:
        return deed()
    except OpsctlError as error:
        return type(error).__name__


@pytest.mark.parametrize("face", ["sync", "async"])
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("part", TABLE)
def test_each_part_does_what_is_documented_in_time(
    own_redis: OwnRedis, *, part: str, fault: str, face: str
) -> None:
    clock, took = SystemClock(), []
    with stage(own_redis, fault) as there, loop(face) as runner:
        kit = Kit(there.url, runner)
        deeds = PARTS[part](kit)
        FAULTS[fault].begin(there)
        kit.client.settle()
        said = {}
        for name in TABLE[part]:
            began = clock.steady()
            said[name] = outcome(deeds[name])
            took.append(clock.steady() - began)
        kit.client.close()

    assert said == {name: row[COLUMNS[fault]] for name, row in TABLE[part].items()}
    assert max(took) < QUICK.answer_s + SLACK_S
    assert sum(took) < QUICK.answer_s + 2 * SLACK_S


@pytest.mark.parametrize("face", ["sync", "async"])
@pytest.mark.parametrize("fault", FAULTS)
def test_all_of_it_works_again_when_the_fault_is_over(
    own_redis: OwnRedis, *, fault: str, face: str
) -> None:
    proofs = {
        ("client", "writes"): b"OK",
        ("closed limiter", "allows"): True,
        ("layered cache", "writes"): True,
        ("hashes", "writes"): True,
        ("sessions", "creates"): True,
        ("queue", "puts"): True,
    }
    with stage(own_redis, fault) as there, loop(face) as runner:
        kit = Kit(there.url, runner)
        deeds = {part: PARTS[part](kit) for part, _ in proofs}
        FAULTS[fault].begin(there)
        kit.client.settle()
        for part, deed in proofs:
            outcome(deeds[part][deed])
        FAULTS[fault].end(there)

        def said() -> dict[tuple[str, str], Any]:
            kit.client.settle()
            return {(part, deed): outcome(deeds[part][deed]) for part, deed in proofs}

        wait_for(lambda: said() == proofs, 15, "every part to work again")
        kit.client.close()


@pytest.mark.parametrize("fault", [name for name in FAULTS if name != "too slow"])
def test_a_listener_hears_again_when_the_fault_is_over(own_redis: OwnRedis, fault: str) -> None:
    heard = queue.SimpleQueue[str]()
    with (
        stage(own_redis, fault) as there,
        Client(there.url, service="test", limits=QUICK) as client,
    ):
        client.listen(
            lambda message: heard.put(message.channel),
            patterns=["ticker.*"],
            on_gap=lambda: heard.put("gap"),
        )
        assert heard.get(timeout=5) == "gap"

        FAULTS[fault].begin(there)
        FAULTS[fault].end(there)

        wait_for(lambda: there.server.cli("PUBLISH", "ticker.kr", "1") == "1", 10, "a listener")
        wait_for(lambda: heard.get(timeout=5) == "ticker.kr", 10, "the message")
