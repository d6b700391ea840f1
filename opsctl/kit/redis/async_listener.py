"""Listens to Redis in a task of its own: reconnects after a loss, and reports the loss."""

import contextlib
from collections.abc import Awaitable, Callable
from functools import partial

from opsctl.errors import OpsctlError
from opsctl.kit import adapters
from opsctl.kit.concurrency.tasks import BackgroundJob, interrupt
from opsctl.kit.redis.availability import FIRST_PAUSE_S, next_pause
from opsctl.kit.redis.callbacks import OnMessage, call_safely, do_nothing
from opsctl.logs import logger
from opsctl.systems.redis.async_pool import AsyncSubscription
from opsctl.systems.redis.pubsub import Topics

log = logger(__name__)

_SILENCE_S = 5.0
"""After this long without a message, PING finds out whether the connection is still alive."""


class AsyncListener:
    """Calls `on_gap` after each subscription, the first included."""

    def __init__(
        self,
        subscribe: Callable[[Topics], Awaitable[AsyncSubscription]],
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
        self._subscription: AsyncSubscription | None = None
        self._job = BackgroundJob("opsctl-listener")

    @property
    def live(self) -> bool:
        """Whether messages arrive as they are published."""
        return self._subscription is not None

    def start(self) -> None:
        self._job.start(self._run)

    async def close(self) -> None:
        await self._job.stop(wake=self._interrupt)

    async def _run(self) -> None:
        pause_s = FIRST_PAUSE_S
        while not self._job.stopping:
            try:
                if await self._listen():
                    pause_s = FIRST_PAUSE_S
            except OpsctlError as error:
                facts = {"what": error.what, "why": error.why}
                log.debug("cannot subscribe to redis", extra=facts)
            if await self._job.pause(adapters.add_jitter(pause_s)):
                return
            pause_s = next_pause(pause_s)

    async def _listen(self) -> bool:
        """Pass on messages until the connection is lost; true once it was subscribed."""
        subscription = await self._subscribe(self._topics)
        self._subscription = subscription
        try:
            call_safely(self._on_gap)
            while not self._job.stopping:
                message = await subscription.receive(_SILENCE_S)
                if message is not None:
                    call_safely(partial(self._on_message, message))
        except OpsctlError as error:
            log.debug("redis subscription lost", extra={"what": error.what, "why": error.why})
        finally:
            self._subscription = None
            call_safely(self._on_lost)
            with contextlib.suppress(OpsctlError):
                await subscription.close()
        return True

    def _interrupt(self) -> None:
        subscription = self._subscription
        if subscription is not None:
            interrupt(subscription)
