"""Where deploy meets notify: a failed deploy is told, and the next one that is live resolves it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from opsctl.cli.session import Session
    from opsctl.deploy.model import Notifier as Teller
    from opsctl.notify.notifier import Notifier

TOPIC = "deploy"


def notifier_of(session: "Session") -> "Teller | None":
    """Hand in the channels; None where settings name none, so that no plan has such a step."""
    wiring = session.wiring
    if not wiring.channels:
        return None
    return _Notices(wiring.notifier, key=f"deploy {wiring.target.project}")


@dataclass(frozen=True, slots=True)
class _Notices:
    notifier: "Notifier"
    key: str

    def tell(self, title: str, text: str, *, is_bad: bool) -> None:
        from opsctl.notify.model import Notice, Severity  # noqa: PLC0415 - only with channels

        if is_bad:
            summary = f"{title}: {text}" if text else title
            fix = "opsctl status, then opsctl logs"
            self.notifier.report(Notice(self.key, TOPIC, Severity.CRITICAL, summary, fix))
        else:
            self.notifier.resolve(self.key, topic=TOPIC, evidence=title)
