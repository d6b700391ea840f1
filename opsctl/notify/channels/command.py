"""A program that gets the messages as JSON on stdin."""

from dataclasses import dataclass

from opsctl.errors import OpsctlError
from opsctl.notify.message_formats import format_json, format_subject
from opsctl.notify.model import ACCEPTED, Bundle, SendResult, failed_result
from opsctl.systems.process.run import Command, Processes


@dataclass(frozen=True, slots=True)
class CommandChannel:
    processes: Processes
    argv: tuple[str, ...]
    name: str = "command"

    def send(self, bundle: Bundle, *, limit_s: float) -> SendResult:
        env = {"OPSCTL_NOTICE_ID": bundle.id, "OPSCTL_NOTICE_SUBJECT": format_subject(bundle)}
        command = Command(
            self.argv, env=env, input=format_json(bundle), timeout_s=limit_s, grace_s=1.0
        )
        try:
            self.processes.run(command, check=True)
        except OpsctlError as error:
            return failed_result(error)
        return ACCEPTED
