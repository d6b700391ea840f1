"""Sends the queue to the channels: in order, one bundle at a time, each channel by itself."""

import threading
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from opsctl.errors import BusyError, OpsctlError
from opsctl.logs import logger
from opsctl.notify.message_formats import unpack_message
from opsctl.notify.model import Bundle, Channel, ChannelLocks, Outbox, QueuedMessage, SendResult
from opsctl.notify.plan import retry_wait_s
from opsctl.systems.clock import Clock

log = logger(__name__)
BUNDLE_SIZE = 20


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How long to wait for a channel, and between two attempts."""

    timeout_s: float
    first_wait_s: float
    max_wait_s: float
    max_rejections: int
    keep: timedelta


class MessageSender:
    def __init__(
        self,
        outbox: Callable[[], Outbox],
        channels: Iterable[Channel],
        *,
        locks: ChannelLocks,
        clock: Clock,
        retry_policy: RetryPolicy,
    ) -> None:
        self._outbox = outbox
        self._channels: Mapping[str, Channel] = {channel.name: channel for channel in channels}
        self._locks = locks
        self._clock = clock
        self._retry_policy = retry_policy
        self._unqueued: list[tuple[str, Bundle]] = []
        self._running: list[threading.Thread] = []

    @property
    def channels(self) -> tuple[str, ...]:
        return tuple(self._channels)

    def send_directly(self, bundle: Bundle, channels: Iterable[str]) -> None:
        """Send with the next flush what the queue cannot take."""
        identified = Bundle(uuid.uuid4().hex, bundle.messages)
        self._unqueued += [(channel, identified) for channel in channels]

    def flush(self, limit_s: float) -> None:
        """Send to all channels in parallel; return at the limit, even if one still hangs."""
        self._running = [thread for thread in self._running if thread.is_alive()]
        if self._running:
            # The last flush still hangs in a channel: another one would hang as well.
            self._wait(self._running, limit_s)
            return
        jobs = [*self._unqueued_jobs(limit_s), *self._queued_jobs(limit_s)]
        self._running = [threading.Thread(target=job, daemon=True) for job in jobs]
        for thread in self._running:
            thread.start()
        self._wait(self._running, limit_s)

    def _wait(self, threads: Sequence[threading.Thread], limit_s: float) -> None:
        until = self._clock.steady() + limit_s
        for thread in threads:
            thread.join(max(0.0, until - self._clock.steady()))

    def _unqueued_jobs(self, limit_s: float) -> Iterable[Callable[[], None]]:
        waiting, self._unqueued = self._unqueued, []
        for name, bundle in waiting:
            yield partial(self._send_unqueued, name, bundle, limit_s)

    def _queued_jobs(self, limit_s: float) -> Iterable[Callable[[], None]]:
        for name in self._channels:
            if self._has_due_messages(name):
                yield partial(self._send_queue, name, limit_s)

    def _has_due_messages(self, name: str) -> bool:
        try:
            return bool(self._next(name, self._clock.now()))
        except OpsctlError:
            return False

    def _next(self, name: str, now: datetime) -> Sequence[QueuedMessage]:
        outbox = self._outbox()
        paused_until = outbox.rests_until(name)
        if paused_until is not None and now < paused_until <= now + self._max_pause():
            return ()
        return outbox.next_bundle(name, now=now, limit=BUNDLE_SIZE)

    def _max_pause(self) -> timedelta:
        # A clock that was set back must not pause a channel for good.
        return timedelta(days=1)

    def _send_unqueued(self, name: str, bundle: Bundle, limit_s: float) -> None:
        result = self._channels[name].send(
            bundle, limit_s=min(limit_s, self._retry_policy.timeout_s)
        )
        if not result.is_accepted:
            log.error("notice lost", extra={"channel": name, "why": result.error})

    def _send_queue(self, name: str, limit_s: float) -> None:
        until = self._clock.steady() + limit_s
        try:
            with self._locks.hold(f"notify-{name}", purpose="send messages"):
                while self._send_next_bundle(name, until - self._clock.steady()):
                    pass
                self._outbox().forget(before=self._clock.now() - self._retry_policy.keep)
        except BusyError:
            return  # Another opsctl sends this queue.
        except OpsctlError as error:
            log.warning("queue not sent", extra={"channel": name, "why": error.why})

    def _send_next_bundle(self, name: str, left_s: float) -> bool:
        """Send the next bundle; False if there is none, or the channel is to be left alone."""
        queued = self._next(name, self._clock.now())
        if not queued or left_s <= 0:
            return False
        bundle = Bundle(
            queued[0].bundle or uuid.uuid4().hex,
            tuple(unpack_message(entry.message) for entry in queued),
        )
        self._outbox().claim(name, bundle.id, [entry.number for entry in queued])
        limit_s = min(left_s, self._retry_policy.timeout_s)
        result = self._channels[name].send(bundle, limit_s=limit_s)
        return self._record_result(name, bundle, result, attempts=queued[0].attempts + 1)

    def _record_result(
        self, name: str, bundle: Bundle, result: SendResult, *, attempts: int
    ) -> bool:
        outbox, now, retry_policy = self._outbox(), self._clock.now(), self._retry_policy
        if result.is_accepted:
            outbox.sent(name, bundle.id, at=now)
            return True
        if result.is_rejected and attempts >= retry_policy.max_rejections:
            outbox.set_aside(name, bundle.id, at=now, trouble=result.error)
            log.error("notice rejected", extra={"channel": name, "why": result.error})
            return True
        failures = outbox.failures(name) + 1
        wait_s = retry_wait_s(
            failures,
            first_s=retry_policy.first_wait_s,
            max_s=retry_policy.max_wait_s,
            asked_s=result.retry_after_s,
        )
        until = now + timedelta(seconds=wait_s)
        outbox.rest(name, bundle.id, failures=failures, until=until, trouble=result.error)
        return False
