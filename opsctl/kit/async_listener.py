"""Listens to Redis in a task: reads on, comes back after a loss, and says that there was one."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from functools import partial

from opsctl.errors import OpsctlError
from opsctl.kit import parts
from opsctl.kit.listener import SILENCE_S, OnMessage, told
from opsctl.kit.presence import FIRST_PAUSE_S, next_pause
from opsctl.logs import logger
from opsctl.systems.redis.async_pool import AsyncSubscription
from opsctl.systems.redis.pubsub import Topics

log = logger(__name__)


class AsyncListener:
    """`on_gap` is called after each subscription, the first included."""

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
        self._on_gap = on_gap
        self._on_lost = on_lost
        self._task: asyncio.Task[None] | None = None
        self.live = False

    def start(self) -> None:
        self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})

    async def _run(self) -> None:
        pause_s = FIRST_PAUSE_S
        while True:
            try:
                await self._listen()
            except OpsctlError as error:
                log.debug("listening ended", extra={"what": error.what, "why": error.why})
            if self.live:
                pause_s, self.live = FIRST_PAUSE_S, False
                if self._on_lost is not None:
                    told(self._on_lost)
            await asyncio.sleep(parts.jittered(pause_s))
            pause_s = next_pause(pause_s)

    async def _listen(self) -> None:
        subscription = await self._subscribe(self._topics)
        try:
            self.live = True
            if self._on_gap is not None:
                told(self._on_gap)
            while True:
                message = await subscription.receive(SILENCE_S)
                if message is not None:
                    told(partial(self._on_message, message))
        finally:
            with contextlib.suppress(OpsctlError):
                await subscription.close()
