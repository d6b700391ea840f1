"""The line between two namespaces is as late and as lossy as it was asked to be."""

import sys
from pathlib import Path

from tests.engines.network import LayLine, Machine
from tests.engines.redis import OwnRedis, RedisServer

# Says how long each of so many answers took, over one connection.
_ASK = """
import socket, sys, time
with socket.create_connection((sys.argv[1], int(sys.argv[2]))) as line:
    for _ in range(int(sys.argv[3])):
        began = time.monotonic()
        line.sendall(b"PING\\r\\n")
        line.recv(64)
        print(time.monotonic() - began)
"""


def answers_s(here: Machine, server: RedisServer, count: int) -> list[float]:
    at = (server.address.host, str(server.address.port))
    return [float(took) for took in here.run(sys.executable, "-c", _ASK, *at, str(count)).split()]


def test_a_packet_is_late_on_its_way_and_on_its_way_back(
    slow_network: LayLine, own_redis: OwnRedis
) -> None:
    line = slow_network(delay_s=0.1)

    took = answers_s(line.here, own_redis(on=line.there), 10)

    assert min(took) >= 0.2
    assert min(took) < 0.3


def test_what_is_lost_is_sent_again_and_costs_time(
    slow_network: LayLine, own_redis: OwnRedis
) -> None:
    line = slow_network(loss=0.05)

    took = answers_s(line.here, own_redis(on=line.there), 100)

    assert len(took) == 100
    assert sorted(took)[10] < 0.1
    assert max(took) > 0.15


def test_our_own_interfaces_are_left_alone(slow_network: LayLine) -> None:
    line = slow_network(delay_s=0.1)

    assert "line:" not in Path("/proc/net/dev").read_text("ascii")
    assert "line" in line.here.run("ip", "-brief", "link")
