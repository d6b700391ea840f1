"""Reports problems: queued at once, sent to the channels within a time limit."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from opsctl.errors import OpsctlError
from opsctl.logs import logger
from opsctl.notify.deliver import MessageSender
from opsctl.notify.message_formats import pack_message
from opsctl.notify.model import AlertEvent, AlertMessage, Bundle, Notice, Outbox, Severity
from opsctl.notify.plan import (
    AlertHistory,
    NotifyDecision,
    NotifyRules,
    decide_raised,
    decide_resolved,
    pack_history,
    select_channels,
    unpack_history,
)
from opsctl.settings.sections.notify import Route
from opsctl.systems.clock import Clock

log = logger(__name__)


@dataclass(frozen=True, slots=True)
class NotifierOptions:
    """The rules and routes of a notifier."""

    rules: NotifyRules
    routes: tuple[Route, ...]
    where: str
    redact: Callable[[str], str]


class Notifier:
    """For every capability: report a problem, resolve it when it is measured to be over."""

    def __init__(
        self,
        outbox: Callable[[], Outbox],
        sender: MessageSender,
        *,
        options: NotifierOptions,
        clock: Clock,
    ) -> None:
        self._outbox = outbox
        self._sender = sender
        self._options = options
        self._clock = clock
        self._unqueued_history: dict[str, AlertHistory] = {}

    def report(self, notice: Notice) -> bool:
        """Queue it for its channels, once per interval; return whether anything was queued."""
        now, rules = self._clock.now(), self._options.rules
        message = self._message(notice, AlertEvent.RAISED)
        return self._decide(
            message, lambda history: decide_raised(history, notice.severity, now=now, rules=rules)
        )

    def resolve(self, key: str, *, topic: str, evidence: str) -> bool:
        """WorkerReport that a problem has ended, with the evidence; silence is no evidence."""
        if not evidence.strip():
            raise ValueError(f"no evidence that {key} is resolved")
        now, rules = self._clock.now(), self._options.rules
        message = self._message(Notice(key, topic, Severity.INFO, evidence), AlertEvent.RESOLVED)
        return self._decide(message, lambda history: decide_resolved(history, now=now, rules=rules))

    def flush(self, limit_s: float) -> None:
        """Send what is due; return within the limit, whatever the channels do."""
        self._sender.flush(limit_s)

    def _message(self, notice: Notice, event: AlertEvent) -> AlertMessage:
        redact = self._options.redact
        return AlertMessage(
            key=notice.key,
            topic=notice.topic,
            severity=notice.severity,
            event=event,
            summary=redact(notice.summary),
            at=self._clock.now(),
            fix=redact(notice.fix),
            where=self._options.where,
        )

    def _decide(
        self, message: AlertMessage, decide: Callable[[AlertHistory], NotifyDecision]
    ) -> bool:
        try:
            outbox = self._outbox()
            with outbox.transaction():
                decision = decide(unpack_history(outbox.memory(message.key)))
                return self._record(outbox, message, decision)
        except OpsctlError as error:
            log.warning("notice cannot be queued", extra={"key": message.key, "why": error.why})
            return self._send_without_queue(message, decide)

    def _record(self, outbox: Outbox, message: AlertMessage, decision: NotifyDecision) -> bool:
        if (
            unpack_history(outbox.memory(message.key)) == decision.history
            and decision.due_at is None
        ):
            return False
        if decision.withdraw:
            outbox.withdraw(message.key, at=message.at)
        outbox.remember(message.key, pack_history(decision.history), at=message.at)
        if decision.due_at is None:
            return False
        planned = _with_planned_severity(message, decision)
        for channel in self._channels(planned):
            outbox.put(
                channel,
                pack_message(planned),
                key=planned.key,
                at=message.at,
                due_at=decision.due_at,
            )
        return True

    def _send_without_queue(
        self, message: AlertMessage, decide: Callable[[AlertHistory], NotifyDecision]
    ) -> bool:
        """Send without the queue: a full disk cannot store it, and must be reported."""
        decision = decide(self._unqueued_history.get(message.key) or self._last_known(message.key))
        self._unqueued_history[message.key] = decision.history
        if decision.due_at is None or decision.due_at > message.at:
            return False
        planned = _with_planned_severity(message, decision)
        self._sender.send_directly(Bundle("", (planned,)), self._channels(planned))
        return True

    def _last_known(self, key: str) -> AlertHistory:
        try:
            return unpack_history(self._outbox().memory(key))
        except OpsctlError:
            return AlertHistory()

    def _channels(self, message: AlertMessage) -> Iterable[str]:
        return select_channels(
            message.severity,
            message.topic,
            routes=self._options.routes,
            known=self._sender.channels,
        )


def _with_planned_severity(message: AlertMessage, decision: NotifyDecision) -> AlertMessage:
    """Send the end of a problem to those who got its beginning."""
    planned = decision.history.pending
    return replace(message, severity=planned.severity) if planned else message
