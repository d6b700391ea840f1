"""Mail: one message to one SMTP server, within one deadline for all of it."""

import contextlib
import smtplib
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from opsctl.errors import OpsctlError, SettingsError, UnreachableError
from opsctl.logs import logger
from opsctl.systems.clock import Clock
from opsctl.systems.deadline import Deadline, within
from opsctl.systems.error_table import ErrorMeaning, meaning_of
from opsctl.systems.network.sockets import Lookup, dial, look_up, reason

READY, PERMANENT = 220, 500
_IS_IT_UP = "Is it up, and is this its port?"
log = logger(__name__)


class RefusedMailError(OpsctlError):
    """The server refuses this message permanently."""

    code = "refused_mail"


@dataclass(frozen=True, slots=True)
class MailServer:
    host: str
    port: int = 587
    tls: str = "starttls"
    """starttls, tls or none."""
    user: str = ""
    password: str = field(default="", repr=False)
    ca_file: Path | None = None


@dataclass(frozen=True, slots=True)
class MailMessage:
    sender: str
    to: tuple[str, ...]
    content: bytes = field(repr=False)


class Mail(Protocol):
    def send(self, message: MailMessage, *, limit_s: float) -> None:
        """Send it; when this returns, the server has accepted it for all recipients."""
        ...


BY_CLASS: dict[type[Exception], ErrorMeaning] = {
    smtplib.SMTPAuthenticationError: ErrorMeaning(
        SettingsError,
        "the mail server {address} does not accept the login",
        "Check notify.smtp_user and notify.smtp_password.",
    ),
    smtplib.SMTPNotSupportedError: ErrorMeaning(
        SettingsError,
        "the mail server {address} does not support the request",
        "Check notify.smtp_tls (starttls, tls or none), and whether it needs a login.",
    ),
    smtplib.SMTPHeloError: ErrorMeaning(
        UnreachableError, "the mail server {address} did not answer the greeting"
    ),
    smtplib.SMTPConnectError: ErrorMeaning(
        UnreachableError, "the mail server {address} accepts no connections now"
    ),
    smtplib.SMTPServerDisconnected: ErrorMeaning(
        UnreachableError, "the mail server {address} closed the connection"
    ),
    smtplib.SMTPException: ErrorMeaning(
        OpsctlError, "the mail server {address} did not accept the mail"
    ),
    ssl.SSLCertVerificationError: ErrorMeaning(
        UnreachableError,
        "the mail server {address} has a certificate that is not trusted",
        "Name the authority that signed it in SSL_CERT_FILE, or check the host's name.",
    ),
    ssl.SSLError: ErrorMeaning(
        UnreachableError,
        "the mail server {address} does not support TLS as configured",
        "Check notify.smtp_port and notify.smtp_tls.",
    ),
    TimeoutError: ErrorMeaning(
        UnreachableError, "the mail server {address} did not answer in time", _IS_IT_UP
    ),
    OSError: ErrorMeaning(UnreachableError, "the mail server {address} is unreachable", _IS_IT_UP),
}
DRIVER_ERRORS = (smtplib.SMTPException, OSError)


def translate(error: Exception, address: str) -> OpsctlError:
    meaning = meaning_of(type(error), BY_CLASS) or ErrorMeaning()
    if is_refusal(error):
        meaning = meaning.replaced(error=RefusedMailError)
    return meaning.to_error(why=_why(error), address=address)


def is_refusal(error: Exception) -> bool:
    """A 5yz reply to the message is permanent; 4yz, and every login failure, may be temporary."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return all(code >= PERMANENT for code, _ in error.recipients.values())
    message_errors = (smtplib.SMTPSenderRefused, smtplib.SMTPDataError)
    return isinstance(error, message_errors) and error.smtp_code >= PERMANENT


def _why(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return "; ".join(
            f"{who}: {code} {_text(reply)}" for who, (code, reply) in error.recipients.items()
        )
    if isinstance(error, smtplib.SMTPResponseException):
        return f"{error.smtp_code} {_text(error.smtp_error)}"
    return reason(error)


def _text(reply: bytes | str) -> str:
    text = reply.decode(errors="replace") if isinstance(reply, bytes) else reply
    return " ".join(text.split())[:200]


class SmtpMail:
    def __init__(self, server: MailServer, *, clock: Clock, lookup: Lookup = look_up) -> None:
        self._server = server
        self._clock = clock
        self._lookup = lookup

    def send(self, message: MailMessage, *, limit_s: float) -> None:
        deadline = Deadline.after(self._clock, limit_s)
        client = _Client(socket.gethostname())
        try:
            # The driver bounds each read; a server that drips would have us for ever.
            within(deadline, lambda: self._talk(client, message, deadline))
        except DRIVER_ERRORS as error:
            raise translate(error, f"{self._server.host}:{self._server.port}") from error
        finally:
            client.cut()

    def _talk(self, client: "_Client", message: MailMessage, deadline: Deadline) -> None:
        server = self._server
        client.open_with(lambda: self._open(deadline))
        code, reply = client.connect(server.host, server.port)
        if code != READY:
            raise smtplib.SMTPConnectError(code, reply)
        if server.tls == "starttls":
            client.starttls(context=self._trust())
        if server.user:
            client.login(server.user, server.password)
        refused = client.sendmail(message.sender, message.to, message.content)
        if refused:
            # Taken for the others: told again, they would get it twice.
            log.error("mail refused for some", extra={"refused": sorted(refused)})
        with contextlib.suppress(*DRIVER_ERRORS):
            client.quit()

    def _open(self, deadline: Deadline) -> socket.socket:
        server = self._server
        plain = dial(server.host, server.port, deadline=deadline, lookup=self._lookup)
        plain.settimeout(deadline.left_s())
        if server.tls != "tls":
            return plain
        try:
            return self._trust().wrap_socket(plain, server_hostname=server.host)
        except OSError:
            plain.close()
            raise

    def _trust(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        if self._server.ca_file is not None:
            context.load_verify_locations(self._server.ca_file)
        return context


class _Client(smtplib.SMTP):
    """Talks over a socket that is opened for it, and can be cut off from outside."""

    def __init__(self, our_name: str) -> None:
        super().__init__(local_hostname=our_name)
        self.sock = None

    def open_with(self, open_socket: Callable[[], socket.socket]) -> None:
        self._open_socket = open_socket

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        # The name that starttls checks the certificate against.
        self._host = host
        del port, timeout
        return self._open_socket()

    def cut(self) -> None:
        opened = self.sock
        if opened is not None:
            with contextlib.suppress(OSError):
                opened.shutdown(socket.SHUT_RDWR)
        self.close()
