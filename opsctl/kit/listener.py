"""Listens to Redis in a thread: reads on, comes back after a loss, and says that there was one."""

import threading
from collections.abc import Callable
from functools import partial

from opsctl.errors import OpsctlError
from opsctl.kit import parts
from opsctl.kit.presence import FIRST_PAUSE_S, next_pause
from opsctl.logs import logger
from opsctl.systems.redis.pubsub import Message, Subscription, Topics

log = logger(__name__)

OnMessage = Callable[[Message], None]
SILENCE_S = 5.0
"""After this long without a word the server is asked whether it is still there."""


class Listener:
    """`on_gap` is called after each subscription, the first included."""

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
        self._on_gap = on_gap or _nothing
        self._on_lost = on_lost or _nothing
        self._stop = threading.Event()
        self._subscription: Subscription | None = None
        self._thread = threading.Thread(target=self._run, name="opsctl-listener", daemon=True)

    @property
    def live(self) -> bool:
        return self._subscription is not None

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        self._stop.set()
        subscription = self._subscription
        if subscription is not None:
            subscription.interrupt()
        if self._thread.ident is not None and self._thread is not threading.current_thread():
            self._thread.join(timeout=SILENCE_S)

    def _run(self) -> None:
        pause_s = FIRST_PAUSE_S
        while not self._stop.is_set():
            try:
                self._listen()
            except OpsctlError as error:
                log.debug("listening ended", extra={"what": error.what, "why": error.why})
            if self._subscription is not None:
                pause_s = FIRST_PAUSE_S
                self._subscription = None
                told(self._on_lost)
            self._stop.wait(parts.jittered(pause_s))
            pause_s = next_pause(pause_s)

    def _listen(self) -> None:
        subscription = self._subscribe(self._topics)
        try:
            self._subscription = subscription
            told(self._on_gap)
            while not self._stop.is_set():
                message = subscription.receive(SILENCE_S)
                if message is not None:
                    told(partial(self._on_message, message))
        finally:
            subscription.close()


def told(callback: Callable[[], None]) -> None:
    """Call the user's own code; what it cannot take must not end the listening."""
    try:
        callback()
    except Exception:
        log.exception("a listener's own code failed")


def _nothing() -> None:
    pass
