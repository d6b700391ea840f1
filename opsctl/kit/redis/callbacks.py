"""Calls the code that a service passes to `listen`."""

from collections.abc import Callable

from opsctl.logs import logger
from opsctl.systems.redis.pubsub import PubSubMessage

log = logger(__name__)

OnMessage = Callable[[PubSubMessage], None]


def call_safely(callback: Callable[[], None]) -> None:
    """Call the service's own code; its errors must not end the listening."""
    try:
        callback()
    except Exception:
        log.exception("listener callback failed")


def do_nothing() -> None:
    pass
