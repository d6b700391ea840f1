"""The journal of this machine (journald)."""

from dataclasses import dataclass

from opsctl.errors import OpsctlError
from opsctl.notify.message_formats import format_headline
from opsctl.notify.model import ACCEPTED, AlertEvent, Bundle, SendResult, Severity, failed_result
from opsctl.systems.journal import Entry, Journal

# Of syslog: 2 critical, 4 warning, 5 notice, 6 info.
_PRIORITIES = {Severity.INFO: 6, Severity.WARNING: 4, Severity.CRITICAL: 2}
_RESOLVED_PRIORITY = 5


@dataclass(frozen=True, slots=True)
class JournalChannel:
    journal: Journal
    name: str = "journal"

    def send(self, bundle: Bundle, *, limit_s: float) -> SendResult:
        del limit_s  # A local datagram is accepted at once, or not.
        try:
            for message in bundle.messages:
                is_resolved = message.event is AlertEvent.RESOLVED
                priority = _RESOLVED_PRIORITY if is_resolved else _PRIORITIES[message.severity]
                fields = {"OPSCTL_KEY": message.key, "OPSCTL_ID": bundle.id}
                self.journal.write(Entry(format_headline(message), priority, fields))
        except OpsctlError as error:
            return failed_result(error)
        return ACCEPTED
