"""Mail: what is told as one letter."""

from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime

from opsctl.errors import OpsctlError
from opsctl.notify.model import TAKEN, Answer, Bundle, failed
from opsctl.notify.render import as_text, subject
from opsctl.systems.mail import Mail, MailMessage, RefusedMailError


@dataclass(frozen=True, slots=True)
class MailChannel:
    mail: Mail
    sender: str
    to: tuple[str, ...]
    name: str = "email"

    def send(self, bundle: Bundle, *, limit_s: float) -> Answer:
        try:
            self.mail.send(self._letter(bundle), limit_s=limit_s)
        except RefusedMailError as error:
            return failed(error, is_refusal=True)
        except OpsctlError as error:
            return failed(error)
        return TAKEN

    def _letter(self, bundle: Bundle) -> MailMessage:
        message = EmailMessage()
        message["Subject"] = subject(bundle)
        message["From"] = self.sender
        message["To"] = ", ".join(self.to)
        message["Date"] = format_datetime(_latest(bundle))
        # The same on a second try: mail programs show it once.
        message["Message-ID"] = f"<{bundle.id}@opsctl.invalid>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(as_text(bundle))
        return MailMessage(self.sender, self.to, message.as_bytes())


def _latest(bundle: Bundle) -> datetime:
    return max(message.at for message in bundle.messages).astimezone(UTC)
