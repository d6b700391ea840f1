"""Finds every node of a replication: subscribers of a replica are invisible on its master."""

from collections.abc import Callable, Iterator, Mapping

from opsctl.errors import OpsctlError
from opsctl.health_rules.measurements import ExpectedSubscriptions, PubsubNode
from opsctl.probe.pubsub.inspect_node import inspect_node
from opsctl.systems.redis.client import Redis, parse_info

Open = Callable[[str, int], Redis]
_MAX_NODES = 32


def inspect_all_nodes(
    redis: Redis, wanted: ExpectedSubscriptions, open_node: Open
) -> tuple[PubsubNode, ...]:
    """Ask the node of the settings, its master and all replicas, each once."""
    first = inspect_node(redis, wanted)
    found = [first]
    seen = {_read_run_id(redis)}
    waiting = list(_list_neighbours(redis))
    while waiting:
        host, port = waiting.pop(0)
        other = open_node(host, port)
        try:
            identity = _read_run_id(other)
            if identity is None or identity not in seen:
                found.append(inspect_node(other, wanted))
                waiting += _list_neighbours(other)
            seen.add(identity)
        finally:
            other.close()
        if len(found) > _MAX_NODES:
            break
    return tuple(found)


def _read_run_id(redis: Redis) -> str | None:
    """Tell nodes apart by what they are: one server has many addresses."""
    try:
        return parse_info(redis.call("INFO", "server").decode()).get("run_id")
    except OpsctlError:
        return None


def _list_neighbours(redis: Redis) -> Iterator[tuple[str, int]]:
    try:
        info = parse_info(redis.call("INFO", "replication").decode())
    except OpsctlError:
        return
    if info.get("role") == "slave":
        yield info.get("master_host", ""), int(info.get("master_port", "0"))
    for index in range(int(info.get("connected_slaves", "0"))):
        replica = _parse_replica(info.get(f"slave{index}", ""))
        yield replica.get("ip", ""), int(replica.get("port", "0"))


def _parse_replica(line: str) -> Mapping[str, str]:
    return dict(pair.partition("=")[::2] for pair in line.split(","))
