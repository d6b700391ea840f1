"""The kit over a network whose packets are late or lost, in network namespaces."""

import json
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

import pytest

from tests.engines.network import LayLine, Line
from tests.engines.redis import OwnRedis
from tests.integration.kit.fault_outcomes import COLUMNS, LIMITED, TABLE, UNAVAILABLE

HEALTHY, LOST = COLUMNS["slow"], COLUMNS["too slow"]
# In addition to the one deadline that an operation may take: the machine is busy.
SLACK_S = 1.0
FORMS = pytest.mark.parametrize("form", ["sync", "async"])


@dataclass(frozen=True, slots=True)
class Use:
    part: str
    operation: str
    outcome: Any
    took_s: float

    def documented(self, column: int) -> Any:
        outcome = TABLE[self.part][self.operation][column]
        return outcome.decode() if isinstance(outcome, bytes) else outcome


def use_kit_over(
    line: Line, own_redis: OwnRedis, *, form: str, answer_s: float, rounds: int = 1
) -> list[Use]:
    """Let a service at one end use every part, with the server at the other."""
    server = own_redis(on=line.there)
    worker = [sys.executable, "-m", "tests.integration.kit.slow_network_worker"]
    argv = [*line.here.within, *worker, server.url(1), form, str(answer_s), str(rounds)]
    done = subprocess.run(argv, check=True, capture_output=True, text=True, timeout=100)
    return [Use(*json.loads(line)) for line in done.stdout.splitlines()]


@FORMS
def test_a_slow_network_is_used_like_any_other(
    slow_network: LayLine, own_redis: OwnRedis, form: str
) -> None:
    uses = use_kit_over(slow_network(delay_s=0.02), own_redis, form=form, answer_s=2.0)

    used = [use for use in uses if use.operation in TABLE[use.part]]
    assert {use.part for use in used} == TABLE.keys()
    assert [use for use in used if use.outcome != use.documented(HEALTHY)] == []
    assert min(use.took_s for use in used if use.part == "client") > 0.04


@FORMS
def test_a_network_slower_than_the_deadline_costs_it_once_and_then_nothing(
    slow_network: LayLine, own_redis: OwnRedis, form: str
) -> None:
    uses = use_kit_over(slow_network(delay_s=0.4), own_redis, form=form, answer_s=0.5)

    first = [use for use in uses if use.operation == "prepare"]
    later = [use for use in uses if use.operation in TABLE[use.part]]
    assert {use.part for use in first} == TABLE.keys()
    assert {use.outcome for use in first} == {"done", UNAVAILABLE, LIMITED}
    assert {use.outcome for use in first if "cache" in use.part} == {"done"}
    assert max(use.took_s for use in first) < 0.5 + SLACK_S
    # What is computed meanwhile is in memory; nothing but that differs from a loss in between.
    told = [use for use in later if use.operation != "reads"]
    assert [use for use in told if use.outcome != use.documented(LOST)] == []
    assert max(use.took_s for use in later) < SLACK_S


@FORMS
def test_a_network_that_loses_packets_is_slower_and_never_wrong(
    slow_network: LayLine, own_redis: OwnRedis, form: str
) -> None:
    line = slow_network(delay_s=0.005, loss=0.05)

    uses = use_kit_over(line, own_redis, form=form, answer_s=2.0, rounds=4)

    used = [use for use in uses if use.operation in TABLE[use.part] and use.part != "queue"]
    odd = [
        use for use in used if use.outcome not in (use.documented(HEALTHY), use.documented(LOST))
    ]
    assert [use for use in odd if use.operation != "reads"] == []
    # A piece that is lost is sent again after 0.2 s.
    assert max(use.took_s for use in used) > 0.2
    assert max(use.took_s for use in uses) < 2.0 + SLACK_S
