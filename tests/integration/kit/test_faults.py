"""Every part of the kit in every fault of Redis: the documented outcome, within its deadline."""

import queue
from typing import Any

import pytest

from opsctl.kit import RedisClient
from opsctl.systems.clock import SystemClock
from tests.contract.kit.forms import loop
from tests.engines.redis import OwnRedis
from tests.integration.kit.conftest import QUICK
from tests.integration.kit.fault_outcomes import COLUMNS, TABLE, outcome
from tests.integration.kit.kit_operations import PARTS, SLOW_RATE, Kit
from tests.redis_faults import FAULTS, stage
from tests.waiting import wait_for

# Besides the one deadline that a fault may cost: the machine does other things as well.
SLACK_S = 10


@pytest.mark.parametrize("form", ["sync", "async"])
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("part", TABLE)
def test_each_part_does_what_is_documented_in_time(
    own_redis: OwnRedis, *, part: str, fault: str, form: str
) -> None:
    clock, took = SystemClock(), []
    with stage(own_redis, fault) as there, loop(form) as runner:
        # Closed for longer than all of this takes.
        kit = Kit(there.url, runner, rate=SLOW_RATE)
        operations = PARTS[part](kit)
        FAULTS[fault].begin(there)
        kit.client.settle()
        outcomes = {}
        for name in TABLE[part]:
            began = clock.steady()
            outcomes[name] = outcome(operations[name])
            took.append(clock.steady() - began)
        kit.client.close()

    assert outcomes == {name: row[COLUMNS[fault]] for name, row in TABLE[part].items()}
    assert max(took) < QUICK.answer_s + SLACK_S
    assert sum(took) < QUICK.answer_s + 2 * SLACK_S


@pytest.mark.parametrize("form", ["sync", "async"])
@pytest.mark.parametrize("fault", FAULTS)
def test_every_part_works_again_when_the_fault_is_over(
    own_redis: OwnRedis, *, fault: str, form: str
) -> None:
    expected = {
        ("client", "writes"): b"OK",
        ("closed limiter", "allows"): True,
        ("layered cache", "writes"): True,
        ("hashes", "writes"): True,
        ("sessions", "creates"): True,
        ("queue", "enqueues"): True,
    }
    with stage(own_redis, fault) as there, loop(form) as runner:
        kit = Kit(there.url, runner)
        operations = {part: PARTS[part](kit) for part, _ in expected}
        FAULTS[fault].begin(there)
        kit.client.settle()
        for part, operation in expected:
            outcome(operations[part][operation])
        FAULTS[fault].end(there)

        def outcomes() -> dict[tuple[str, str], Any]:
            kit.client.settle()
            return {
                (part, operation): outcome(operations[part][operation])
                for part, operation in expected
            }

        wait_for(lambda: outcomes() == expected, 60, "every part to work again")
        kit.client.close()


@pytest.mark.parametrize("fault", [name for name in FAULTS if name != "too slow"])
def test_a_listener_receives_again_when_the_fault_is_over(own_redis: OwnRedis, fault: str) -> None:
    heard = queue.SimpleQueue[str]()
    with (
        stage(own_redis, fault) as there,
        RedisClient(there.url, service="test", limits=QUICK) as client,
    ):
        client.listen(
            lambda message: heard.put(message.channel),
            patterns=["ticker.*"],
            on_gap=lambda: heard.put("gap"),
        )
        assert heard.get(timeout=60) == "gap"

        FAULTS[fault].begin(there)
        FAULTS[fault].end(there)

        def hears() -> bool:
            # Told again and again: the line that took one may be given up before it is read.
            there.server.cli("PUBLISH", "ticker.kr", "1")
            return "ticker.kr" in [heard.get() for _ in range(heard.qsize())]

        wait_for(hears, 60, "the message")
