"""Who subscribes on one Redis node: counted in one transaction, without sending a message."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from opsctl.errors import OpsctlError, SettingsError, UnreachableError
from opsctl.health_rules.measurements import ClientConnection, ExpectedSubscriptions, PubsubNode
from opsctl.health_rules.pubsub import OBSERVER_CLIENT
from opsctl.probe.pubsub.candidate_patterns import is_observer_pattern, list_candidates
from opsctl.probe.redis.parse_clients import parse_clients
from opsctl.systems.redis.client import Redis, Word, parse_info

# Before, NUMPAT counted each client's patterns apart, and the count below proves nothing.
_UNIQUE_SINCE = (6, 2)


def require_answer(redis: Redis) -> None:
    """Raise if nobody answers or lets us in; a server that only refuses commands is there."""
    try:
        redis.ping()
    except (UnreachableError, SettingsError):
        raise
    except OpsctlError:
        return


def inspect_node(redis: Redis, wanted: ExpectedSubscriptions) -> PubsubNode:
    """Ask one node. What it says counts; what it refuses hides it, so that nothing is proven."""
    try:
        hidden = _why_inconclusive(redis)
    except UnreachableError as error:
        return PubsubNode(redis.address, "unknown", hidden=describe_error(error))
    clients = _list_clients(redis)
    node = PubsubNode(redis.address, _read_role(redis), clients=clients, hidden=hidden)
    guesses = list_candidates(wanted.patterns, wanted.channels, clients or ())
    try:
        literal, count, found = _count_subscribers(redis, wanted.channels, guesses)
    except OpsctlError as error:
        return _count_literal_only(redis, wanted, node, error)
    watching = tuple(
        pattern for pattern in found if is_observer_pattern(pattern) and _has_observer(clients)
    )
    held = tuple(pattern for pattern in found if pattern not in watching)
    node = replace(node, literal=literal, pattern_count=count, held=held, observed=len(watching))
    return node if count or "NUMPAT" not in hidden else replace(node, hidden="")


def _why_inconclusive(redis: Redis) -> str:
    """Say why a node that answers proves nothing; empty where it can."""
    try:
        info = parse_info(redis.call("INFO", "server").decode())
    except UnreachableError:
        raise
    except OpsctlError as error:
        return f"its replicas and version are hidden: {error.why or error.what}"
    version = info.get("redis_version", "")
    numbers = tuple(int(number) for number in version.split(".")[:2] if number.isdigit())
    return "" if numbers >= _UNIQUE_SINCE else f"NUMPAT of Redis {version} proves no absence"


def _has_observer(clients: Sequence[ClientConnection] | None) -> bool:
    return clients is None or any(client.name.startswith(OBSERVER_CLIENT) for client in clients)


def describe_error(error: OpsctlError) -> str:
    return f"{error.what}: {error.why}" if error.why else error.what


def _count_subscribers(
    redis: Redis, channels: Sequence[str], guesses: Sequence[str]
) -> tuple[dict[str, int], int, tuple[str, ...]]:
    """Ask all in one transaction: nobody comes or goes in between, so the counts add up.

    A pattern that we subscribe to and that does not raise the number of patterns is held already.
    """
    commands: list[tuple[Word, ...]] = [("PUBSUB", "NUMSUB", *channels), ("PUBSUB", "NUMPAT")]
    for guess in guesses:
        commands += [("PSUBSCRIBE", guess), ("PUBSUB", "NUMPAT"), ("PUNSUBSCRIBE", guess)]
    numsub, count, *rest = redis.batch(commands, atomic=True)
    with_ours: list[Any] = rest[1::3]
    held = tuple(guess for guess, after in zip(guesses, with_ours, strict=True) if after == count)
    return _parse_numsub(numsub), int(count), held


def _parse_numsub(numsub: Sequence[Any]) -> dict[str, int]:
    names = (name.decode(errors="surrogateescape") for name in numsub[::2])
    return dict(zip(names, map(int, numsub[1::2]), strict=True))


def _count_literal_only(
    redis: Redis, wanted: ExpectedSubscriptions, node: PubsubNode, refusal: OpsctlError
) -> PubsubNode:
    """Keep what can be known when subscribing is refused."""
    try:
        literal = _parse_numsub(redis.call("PUBSUB", "NUMSUB", *wanted.channels))
        count = int(redis.call("PUBSUB", "NUMPAT"))
    except OpsctlError as error:
        return replace(node, hidden=describe_error(error))
    # Without a single pattern on the server there is nothing to prove.
    hidden = node.hidden or (describe_error(refusal) if count else "")
    return replace(node, literal=literal, pattern_count=count, hidden=hidden)


def _list_clients(redis: Redis) -> tuple[ClientConnection, ...] | None:
    try:
        return parse_clients(redis.call("CLIENT", "LIST", "TYPE", "pubsub").decode())
    except OpsctlError:
        return None


def _read_role(redis: Redis) -> str:
    try:
        return parse_info(redis.call("INFO", "replication").decode()).get("role", "unknown")
    except OpsctlError:
        return "unknown"
