"""Connects deploy with notify: a failed deploy raises an alert, the next live one resolves it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from opsctl.cli.session import Session
    from opsctl.deploy.integrations import DeployNotifier
    from opsctl.notify.notifier import Notifier

TOPIC = "deploy"


def find_notifier(session: "Session") -> "DeployNotifier | None":
    """Return None when the settings name no channel, so that the plan has no such step."""
    wiring = session.wiring
    if not wiring.channels:
        return None
    return _ChannelNotifier(wiring.notifier, key=f"deploy {wiring.target.project}")


@dataclass(frozen=True, slots=True)
class _ChannelNotifier:
    notifier: "Notifier"
    key: str

    def notify(self, title: str, text: str, *, is_failure: bool) -> None:
        from opsctl.notify.model import Notice, Severity  # noqa: PLC0415 - only with channels

        if is_failure:
            summary = f"{title}: {text}" if text else title
            fix = "opsctl status, then opsctl logs"
            self.notifier.report(Notice(self.key, TOPIC, Severity.CRITICAL, summary, fix))
        else:
            self.notifier.resolve(self.key, topic=TOPIC, evidence=title)
