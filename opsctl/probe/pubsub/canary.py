"""Sends one test message through Redis, on a channel of its own, and times it."""

from collections.abc import Callable
from contextlib import closing

from opsctl.errors import OpsctlError
from opsctl.findings import Figure, Finding, Level
from opsctl.probe.pubsub.inspect_node import describe_error
from opsctl.systems.clock import Clock
from opsctl.systems.redis.client import Redis
from opsctl.systems.redis.pubsub import Subscription

Subscribe = Callable[[], Subscription]


def send_canary(
    redis: Redis, subscribe: Subscribe, *, channel: str, wait_s: float, clock: Clock
) -> Finding:
    """Publish once and wait for it; what arrives for others on that channel is passed over."""
    token = f"{clock.now().timestamp():.6f}"
    try:
        with closing(subscribe()) as subscription:
            began = clock.steady()
            redis.call("PUBLISH", channel, token)
            arrived = _wait_for_message(subscription, token, until=began + wait_s, clock=clock)
    except OpsctlError as error:
        return Finding("canary", Level.CRITICAL, describe_error(error), fix=error.hint)
    took_ms = (clock.steady() - began) * 1000
    if not arrived:
        fix = "See the output buffers: `opsctl health redis`."
        return Finding(
            "canary", Level.CRITICAL, f"the message did not return within {wait_s:g} s", fix=fix
        )
    said = f"the message returned in {took_ms:.2f} ms on {channel}"
    return Finding("canary", Level.OK, said, figures=(Figure("round_trip", took_ms, "ms"),))


def _wait_for_message(
    subscription: Subscription, token: str, *, until: float, clock: Clock
) -> bool:
    while (left := until - clock.steady()) > 0:
        message = subscription.receive(left)
        if message is not None and message.data == token.encode():
            return True
    return False
