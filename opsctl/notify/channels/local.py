"""Channels of this machine: a program and the journal."""

from dataclasses import dataclass

from opsctl.errors import OpsctlError
from opsctl.notify.model import TAKEN, Answer, Bundle, Said, Severity, failed
from opsctl.notify.render import as_json, headline, subject
from opsctl.systems.journal import Entry, Journal
from opsctl.systems.process.run import Command, Processes

_PRIORITY = {Severity.INFO: 6, Severity.WARNING: 4, Severity.CRITICAL: 2}


@dataclass(frozen=True, slots=True)
class CommandChannel:
    processes: Processes
    argv: tuple[str, ...]
    name: str = "command"

    def send(self, bundle: Bundle, *, limit_s: float) -> Answer:
        told = {"OPSCTL_NOTICE_ID": bundle.id, "OPSCTL_NOTICE_SUBJECT": subject(bundle)}
        command = Command(
            self.argv, env=told, input=as_json(bundle), timeout_s=limit_s, grace_s=1.0
        )
        try:
            self.processes.run(command, check=True)
        except OpsctlError as error:
            return failed(error)
        return TAKEN


@dataclass(frozen=True, slots=True)
class JournalChannel:
    journal: Journal
    name: str = "journal"

    def send(self, bundle: Bundle, *, limit_s: float) -> Answer:
        del limit_s  # A local datagram is taken at once, or not.
        try:
            for message in bundle.messages:
                resolved = message.said is Said.RESOLVED
                priority = 5 if resolved else _PRIORITY[message.severity]
                facts = {"OPSCTL_KEY": message.key, "OPSCTL_ID": bundle.id}
                self.journal.write(Entry(headline(message), priority, facts))
        except OpsctlError as error:
            return failed(error)
        return TAKEN
