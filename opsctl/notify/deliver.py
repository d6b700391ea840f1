"""Carries the queue to the channels: in order, one bundle at a time, each channel on its own."""

import threading
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from opsctl.errors import BusyError, OpsctlError
from opsctl.logs import logger
from opsctl.notify.model import Answer, Bundle, Channel, Outbox, Queued, Turns
from opsctl.notify.plan import wait_after
from opsctl.notify.render import unpack
from opsctl.systems.clock import Clock

log = logger(__name__)
BUNDLE = 20


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait for a channel, and between two tries."""

    timeout_s: float
    back_off_s: float
    back_off_most_s: float
    refusals: int
    keep: timedelta


class Courier:
    def __init__(
        self,
        outbox: Callable[[], Outbox],
        channels: Iterable[Channel],
        *,
        turns: Turns,
        clock: Clock,
        patience: Patience,
    ) -> None:
        self._outbox = outbox
        self._channels: Mapping[str, Channel] = {channel.name: channel for channel in channels}
        self._turns = turns
        self._clock = clock
        self._patience = patience
        self._unqueued: list[tuple[str, Bundle]] = []
        self._at_work: list[threading.Thread] = []

    @property
    def channels(self) -> tuple[str, ...]:
        return tuple(self._channels)

    def tell_now(self, bundle: Bundle, channels: Iterable[str]) -> None:
        """Keep what no queue can hold for the next flush."""
        named = Bundle(uuid.uuid4().hex, bundle.messages)
        self._unqueued += [(channel, named) for channel in channels]

    def flush(self, limit_s: float) -> None:
        """Let each channel have its turn side by side; who is late is left behind."""
        self._at_work = [thread for thread in self._at_work if thread.is_alive()]
        if self._at_work:
            # The last turn still hangs somewhere: another one would only hang with it.
            self._wait(self._at_work, limit_s)
            return
        errands = [*self._unqueued_errands(limit_s), *self._queued_errands(limit_s)]
        self._at_work = [threading.Thread(target=errand, daemon=True) for errand in errands]
        for thread in self._at_work:
            thread.start()
        self._wait(self._at_work, limit_s)

    def _wait(self, threads: Sequence[threading.Thread], limit_s: float) -> None:
        until = self._clock.steady() + limit_s
        for thread in threads:
            thread.join(max(0.0, until - self._clock.steady()))

    def _unqueued_errands(self, limit_s: float) -> Iterable[Callable[[], None]]:
        waiting, self._unqueued = self._unqueued, []
        for name, bundle in waiting:
            yield partial(self._hand_over, name, bundle, limit_s)

    def _queued_errands(self, limit_s: float) -> Iterable[Callable[[], None]]:
        for name in self._channels:
            if self._has_work(name):
                yield partial(self._deliver, name, limit_s)

    def _has_work(self, name: str) -> bool:
        try:
            return bool(self._next(name, self._clock.now()))
        except OpsctlError:
            return False

    def _next(self, name: str, now: datetime) -> Sequence[Queued]:
        outbox = self._outbox()
        rests_until = outbox.rests_until(name)
        if rests_until is not None and now < rests_until <= now + self._longest_rest():
            return ()
        return outbox.next_bundle(name, now=now, limit=BUNDLE)

    def _longest_rest(self) -> timedelta:
        # A clock that was set back must not silence a channel for good.
        return timedelta(days=1)

    def _hand_over(self, name: str, bundle: Bundle, limit_s: float) -> None:
        answer = self._channels[name].send(bundle, limit_s=min(limit_s, self._patience.timeout_s))
        if not answer.is_taken:
            log.error("notice lost", extra={"channel": name, "why": answer.trouble})

    def _deliver(self, name: str, limit_s: float) -> None:
        until = self._clock.steady() + limit_s
        try:
            with self._turns.hold(f"notify-{name}", purpose="tell"):
                while self._deliver_one(name, until - self._clock.steady()):
                    pass
                self._outbox().forget(before=self._clock.now() - self._patience.keep)
        except BusyError:
            return  # Another opsctl carries this very queue.
        except OpsctlError as error:
            log.warning("queue stands still", extra={"channel": name, "why": error.why})

    def _deliver_one(self, name: str, left_s: float) -> bool:
        """Send the next bundle; False when there is none, or the channel had enough."""
        queued = self._next(name, self._clock.now())
        if not queued or left_s <= 0:
            return False
        bundle = Bundle(
            queued[0].bundle or uuid.uuid4().hex, tuple(unpack(entry.message) for entry in queued)
        )
        self._outbox().claim(name, bundle.id, [entry.number for entry in queued])
        limit_s = min(left_s, self._patience.timeout_s)
        answer = self._channels[name].send(bundle, limit_s=limit_s)
        return self._note(name, bundle, answer, attempts=queued[0].attempts + 1)

    def _note(self, name: str, bundle: Bundle, answer: Answer, *, attempts: int) -> bool:
        outbox, now, patience = self._outbox(), self._clock.now(), self._patience
        if answer.is_taken:
            outbox.sent(name, bundle.id, at=now)
            return True
        if answer.is_refusal and attempts >= patience.refusals:
            outbox.set_aside(name, bundle.id, at=now, trouble=answer.trouble)
            log.error("notice refused", extra={"channel": name, "why": answer.trouble})
            return True
        failures = outbox.failures(name) + 1
        wait_s = wait_after(
            failures,
            first_s=patience.back_off_s,
            most_s=patience.back_off_most_s,
            asked_s=answer.retry_after_s,
        )
        until = now + timedelta(seconds=wait_s)
        outbox.rest(name, bundle.id, failures=failures, until=until, trouble=answer.trouble)
        return False
