"""Mail: one bundle is one mail."""

from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime

from opsctl.errors import OpsctlError
from opsctl.notify.message_formats import format_subject, format_text
from opsctl.notify.model import ACCEPTED, Bundle, SendResult, failed_result
from opsctl.systems.mail import Mail, MailMessage, RefusedMailError


@dataclass(frozen=True, slots=True)
class MailChannel:
    mail: Mail
    sender: str
    to: tuple[str, ...]
    name: str = "email"

    def send(self, bundle: Bundle, *, limit_s: float) -> SendResult:
        try:
            self.mail.send(self._build_mail(bundle), limit_s=limit_s)
        except RefusedMailError as error:
            return failed_result(error, is_rejected=True)
        except OpsctlError as error:
            return failed_result(error)
        return ACCEPTED

    def _build_mail(self, bundle: Bundle) -> MailMessage:
        message = EmailMessage()
        message["Subject"] = format_subject(bundle)
        message["From"] = self.sender
        message["To"] = ", ".join(self.to)
        message["Date"] = format_datetime(_latest(bundle))
        # The same in a retry: mail programs show it once.
        message["Message-ID"] = f"<{bundle.id}@opsctl.invalid>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(format_text(bundle))
        return MailMessage(self.sender, self.to, message.as_bytes())


def _latest(bundle: Bundle) -> datetime:
    return max(message.at for message in bundle.messages).astimezone(UTC)
