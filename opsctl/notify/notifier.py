"""Tells of troubles: into the queue at once, out to the channels within bounds."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from opsctl.errors import OpsctlError
from opsctl.logs import logger
from opsctl.notify.deliver import Courier
from opsctl.notify.model import Bundle, Message, Notice, Outbox, Said, Severity
from opsctl.notify.plan import (
    Memory,
    Rules,
    Verdict,
    Way,
    channels_for,
    on_raise,
    on_resolve,
    packed,
    unpacked,
)
from opsctl.notify.render import pack
from opsctl.systems.clock import Clock

log = logger(__name__)


@dataclass(frozen=True, slots=True)
class Telling:
    """What a notifier goes by."""

    rules: Rules
    routes: tuple[Way, ...]
    where: str
    redact: Callable[[str], str]


class Notifier:
    """For every capability: raise what is wrong, resolve what is seen to be well again."""

    def __init__(
        self, outbox: Callable[[], Outbox], courier: Courier, *, telling: Telling, clock: Clock
    ) -> None:
        self._outbox = outbox
        self._courier = courier
        self._telling = telling
        self._clock = clock
        self._homeless: dict[str, Memory] = {}

    def tell(self, notice: Notice) -> bool:
        """Queue it for whoever is to know, once an interval; say whether anything was queued."""
        now, rules = self._clock.now(), self._telling.rules
        message = self._message(notice, Said.RAISED)
        return self._decide(
            message, lambda memory: on_raise(memory, notice.severity, now=now, rules=rules)
        )

    def resolve(self, key: str, *, topic: str, evidence: str) -> bool:
        """Say that a trouble has ended, and by what it is seen; silence is no evidence."""
        if not evidence.strip():
            raise ValueError(f"no evidence that {key} is well")
        now, rules = self._clock.now(), self._telling.rules
        message = self._message(Notice(key, topic, Severity.INFO, evidence), Said.RESOLVED)
        return self._decide(message, lambda memory: on_resolve(memory, now=now, rules=rules))

    def flush(self, limit_s: float) -> None:
        """Send what is due; come back within the limit, whatever the channels do."""
        self._courier.flush(limit_s)

    def _message(self, notice: Notice, said: Said) -> Message:
        redact = self._telling.redact
        return Message(
            key=notice.key,
            topic=notice.topic,
            severity=notice.severity,
            said=said,
            summary=redact(notice.summary),
            at=self._clock.now(),
            fix=redact(notice.fix),
            where=self._telling.where,
        )

    def _decide(self, message: Message, judge: Callable[[Memory], Verdict]) -> bool:
        try:
            outbox = self._outbox()
            with outbox.transaction():
                verdict = judge(unpacked(outbox.memory(message.key)))
                return self._record(outbox, message, verdict)
        except OpsctlError as error:
            log.warning("notice cannot be queued", extra={"key": message.key, "why": error.why})
            return self._tell_without_queue(message, judge)

    def _record(self, outbox: Outbox, message: Message, verdict: Verdict) -> bool:
        if unpacked(outbox.memory(message.key)) == verdict.memory and verdict.due_at is None:
            return False
        if verdict.withdraw:
            outbox.withdraw(message.key, at=message.at)
        outbox.remember(message.key, packed(verdict.memory), at=message.at)
        if verdict.due_at is None:
            return False
        planned = _as_planned(message, verdict)
        for channel in self._channels(planned):
            outbox.put(
                channel, pack(planned), key=planned.key, at=message.at, due_at=verdict.due_at
            )
        return True

    def _tell_without_queue(self, message: Message, judge: Callable[[Memory], Verdict]) -> bool:
        """A full disk takes no queue, and is what must be told: hand it over by word of mouth."""
        verdict = judge(self._homeless.get(message.key) or self._last_known(message.key))
        self._homeless[message.key] = verdict.memory
        if verdict.due_at is None or verdict.due_at > message.at:
            return False
        planned = _as_planned(message, verdict)
        self._courier.tell_now(Bundle("", (planned,)), self._channels(planned))
        return True

    def _last_known(self, key: str) -> Memory:
        try:
            return unpacked(self._outbox().memory(key))
        except OpsctlError:
            return Memory()

    def _channels(self, message: Message) -> Iterable[str]:
        return channels_for(
            message.severity,
            message.topic,
            routes=self._telling.routes,
            known=self._courier.channels,
        )


def _as_planned(message: Message, verdict: Verdict) -> Message:
    """An end is told to those who were told of the trouble."""
    planned = verdict.memory.pending
    return replace(message, severity=planned.severity) if planned else message
