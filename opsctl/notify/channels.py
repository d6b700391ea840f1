"""The channels: webhooks, mail, a program, the journal; each turns trouble into an answer."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime

from opsctl.errors import OpsctlError
from opsctl.notify.model import TAKEN, Answer, Bundle, Said, Severity
from opsctl.notify.render import as_json, as_slack, as_text, headline, subject
from opsctl.systems.http import Http, HttpRequest, HttpResponse, parse_date
from opsctl.systems.journal import Entry, Journal
from opsctl.systems.mail import Letter, Mail, RefusedLetterError
from opsctl.systems.process import Command, Processes
from opsctl.systems.reach import Reach

ANSWER_BYTES = 10_000
LONGEST_WAIT_S = 86_400.0
# Worth another try as it is: too slow, too early, too many.
TRANSIENT = frozenset({408, 425, 429})
_PRIORITY = {Severity.INFO: 6, Severity.WARNING: 4, Severity.CRITICAL: 2}


@dataclass(frozen=True, slots=True)
class Webhook:
    """A web address that takes JSON; `write` makes the body."""

    name: str
    url: str = field(repr=False)
    http: Http
    reach: Reach
    write: Callable[[Bundle], bytes]

    def send(self, bundle: Bundle, *, limit_s: float) -> Answer:
        request = HttpRequest(
            self.url,
            method="POST",
            headers={"content-type": "application/json", "idempotency-key": bundle.id},
            body=self.write(bundle),
            limit_s=limit_s,
            max_body_bytes=ANSWER_BYTES,
            reach=self.reach,
        )
        try:
            return judge(self.http.send(request))
        except OpsctlError as error:
            return failed(error)


def slack(url: str, http: Http, reach: Reach) -> Webhook:
    return Webhook("slack", url, http, reach, as_slack)


def webhook(url: str, http: Http, reach: Reach) -> Webhook:
    return Webhook("webhook", url, http, reach, as_json)


def judge(response: HttpResponse) -> Answer:
    """2xx is taken; 4xx will not change by asking again, save where it says so."""
    status = response.status
    if 200 <= status < 300:  # noqa: PLR2004 - success, as HTTP counts
        return TAKEN
    said = f"it answered {status}"
    if 300 <= status < 400:  # noqa: PLR2004 - redirects, as HTTP counts
        return Answer(is_taken=False, trouble=f"{said}: redirects are not followed")
    is_refusal = 400 <= status < 500 and status not in TRANSIENT  # noqa: PLR2004 - as HTTP counts
    return Answer(
        is_taken=False,
        trouble=said,
        retry_after_s=_retry_after(response),
        is_refusal=is_refusal,
    )


def _retry_after(response: HttpResponse) -> float | None:
    """Read seconds or a date, counted from the server's own clock."""
    text = response.headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:9]), LONGEST_WAIT_S)
    until, since = parse_date(text), response.date
    if until is None or since is None:
        return None
    return min(max(0.0, (until - since).total_seconds()), LONGEST_WAIT_S)


@dataclass(frozen=True, slots=True)
class MailChannel:
    mail: Mail
    sender: str
    to: tuple[str, ...]
    name: str = "email"

    def send(self, bundle: Bundle, *, limit_s: float) -> Answer:
        try:
            self.mail.send(self._letter(bundle), limit_s=limit_s)
        except RefusedLetterError as error:
            return Answer(is_taken=False, trouble=_told(error), is_refusal=True)
        except OpsctlError as error:
            return failed(error)
        return TAKEN

    def _letter(self, bundle: Bundle) -> Letter:
        message = EmailMessage()
        message["Subject"] = subject(bundle)
        message["From"] = self.sender
        message["To"] = ", ".join(self.to)
        message["Date"] = format_datetime(_latest(bundle))
        # The same on a second try: mail programs show it once.
        message["Message-ID"] = f"<{bundle.id}@opsctl.invalid>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(as_text(bundle))
        return Letter(self.sender, self.to, message.as_bytes())


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


def failed(error: OpsctlError) -> Answer:
    return Answer(is_taken=False, trouble=_told(error))


def _told(error: OpsctlError) -> str:
    return f"{error.what}: {error.why}" if error.why else error.what


def _latest(bundle: Bundle) -> datetime:
    return max(message.at for message in bundle.messages).astimezone(UTC)
