"""The kit over a line whose packets are late or lost: real ones, in namespaces of their own."""

import json
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

import pytest

from tests.engines.network import LayLine, Line
from tests.engines.redis import OwnRedis
from tests.integration.kit.outcomes import AWAY, COLUMNS, LIMITED, TABLE

WELL, LOST = COLUMNS["slow"], COLUMNS["too slow"]
# Besides the one deadline that a deed may cost: the machine does other things as well.
SLACK_S = 1.0
FACES = pytest.mark.parametrize("face", ["sync", "async"])


@dataclass(frozen=True, slots=True)
class Did:
    part: str
    deed: str
    said: Any
    took_s: float

    def promised(self, column: int) -> Any:
        said = TABLE[self.part][self.deed][column]
        return said.decode() if isinstance(said, bytes) else said


def use_over(
    line: Line, own_redis: OwnRedis, *, face: str, answer_s: float, rounds: int = 1
) -> list[Did]:
    """Let a service at one end use every part, with the server at the other."""
    server = own_redis(on=line.there)
    worker = [sys.executable, "-m", "tests.integration.kit.line_worker"]
    argv = [*line.here.within, *worker, server.url(1), face, str(answer_s), str(rounds)]
    done = subprocess.run(argv, check=True, capture_output=True, text=True, timeout=100)
    return [Did(*json.loads(said)) for said in done.stdout.splitlines()]


@FACES
def test_a_late_line_is_used_as_any_other(
    slow_network: LayLine, own_redis: OwnRedis, face: str
) -> None:
    did = use_over(slow_network(delay_s=0.02), own_redis, face=face, answer_s=2.0)

    used = [one for one in did if one.deed in TABLE[one.part]]
    assert {one.part for one in used} == TABLE.keys()
    assert [one for one in used if one.said != one.promised(WELL)] == []
    assert min(one.took_s for one in used if one.part == "client") > 0.04


@FACES
def test_a_line_later_than_the_deadline_costs_it_once_and_then_nothing(
    slow_network: LayLine, own_redis: OwnRedis, face: str
) -> None:
    did = use_over(slow_network(delay_s=0.4), own_redis, face=face, answer_s=0.5)

    first = [one for one in did if one.deed == "prepare"]
    later = [one for one in did if one.deed in TABLE[one.part]]
    assert {one.part for one in first} == TABLE.keys()
    assert {one.said for one in first} == {"done", AWAY, LIMITED}
    assert {one.said for one in first if "cache" in one.part} == {"done"}
    assert max(one.took_s for one in first) < 0.5 + SLACK_S
    # What is computed meanwhile is in memory; nothing but that differs from a loss in between.
    told = [one for one in later if one.deed != "reads"]
    assert [one for one in told if one.said != one.promised(LOST)] == []
    assert max(one.took_s for one in later) < SLACK_S


@FACES
def test_a_line_that_loses_packets_is_slower_and_never_wrong(
    slow_network: LayLine, own_redis: OwnRedis, face: str
) -> None:
    line = slow_network(delay_s=0.005, loss=0.05)

    did = use_over(line, own_redis, face=face, answer_s=2.0, rounds=4)

    used = [one for one in did if one.deed in TABLE[one.part] and one.part != "queue"]
    odd = [one for one in used if one.said not in (one.promised(WELL), one.promised(LOST))]
    assert [one for one in odd if one.deed != "reads"] == []
    # A piece that is lost is sent again after 0.2 s.
    assert max(one.took_s for one in used) > 0.2
    assert max(one.took_s for one in did) < 2.0 + SLACK_S
