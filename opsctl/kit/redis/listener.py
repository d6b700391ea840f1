# Generated from opsctl/kit/redis/async_listener.py by `make unasync`: edit that file instead.
"""Listens to Redis in a thread of its own: reconnects after a loss, and reports the loss."""

import contextlib
from collections.abc import Callable
from functools import partial

from opsctl.errors import OpsctlError
from opsctl.kit import adapters
from opsctl.kit.concurrency.threads import BackgroundJob, interrupt
from opsctl.kit.redis.availability import FIRST_PAUSE_S, next_pause
from opsctl.kit.redis.callbacks import OnMessage, call_safely, do_nothing
from opsctl.logs import logger
from opsctl.systems.redis.pubsub import Subscription, Topics

log = logger(__name__)

_SILENCE_S = 5.0
"""After this long without a message, PING finds out whether the connection is still alive."""


class Listener:
    """Calls `on_gap` after each subscription, the first included."""

    def __init__(
        self,
        subscribe: Callable[[Topics], Subscription],
        on_message: OnMessage,
        *,
        topics: Topics,
        on_gap: Callable[[], None] | None = None,
        on_lost: Callable[[], None] | None = None,
    ) -> None:
        self._subscribe = subscribe
        self._on_message = on_message
        self._topics = topics
        self._on_gap = on_gap or do_nothing
        self._on_lost = on_lost or do_nothing
        self._subscription: Subscription | None = None
        self._job = BackgroundJob("opsctl-listener")

    @property
    def live(self) -> bool:
        """Whether messages arrive as they are published."""
        return self._subscription is not None

    def start(self) -> None:
        self._job.start(self._run)

    def close(self) -> None:
        self._job.stop(wake=self._interrupt)

    def _run(self) -> None:
        pause_s = FIRST_PAUSE_S
        while not self._job.stopping:
            try:
                if self._listen():
                    pause_s = FIRST_PAUSE_S
            except OpsctlError as error:
                facts = {"what": error.what, "why": error.why}
                log.debug("cannot subscribe to redis", extra=facts)
            if self._job.pause(adapters.add_jitter(pause_s)):
                return
            pause_s = next_pause(pause_s)

    def _listen(self) -> bool:
        """Pass on messages until the connection is lost; true once it was subscribed."""
        subscription = self._subscribe(self._topics)
        self._subscription = subscription
        try:
            call_safely(self._on_gap)
            while not self._job.stopping:
                message = subscription.receive(_SILENCE_S)
                if message is not None:
                    call_safely(partial(self._on_message, message))
        except OpsctlError as error:
            log.debug("redis subscription lost", extra={"what": error.what, "why": error.why})
        finally:
            self._subscription = None
            call_safely(self._on_lost)
            with contextlib.suppress(OpsctlError):
                subscription.close()
        return True

    def _interrupt(self) -> None:
        subscription = self._subscription
        if subscription is not None:
            interrupt(subscription)
