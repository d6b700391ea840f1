"""Every error that the mail driver knows has a meaning of ours."""

import smtplib
import ssl

import pytest

from opsctl.errors import OpsctlError, SettingsError, UnreachableError
from opsctl.systems.mail import BY_CLASS, RefusedMailError, translate

KNOWN = [
    kind
    for kind in vars(smtplib).values()
    if isinstance(kind, type) and issubclass(kind, smtplib.SMTPException)
]


def test_every_error_of_the_driver_is_in_the_table() -> None:
    families = tuple(BY_CLASS)

    assert [kind for kind in KNOWN if not issubclass(kind, families)] == []
    assert len(KNOWN) == 10


@pytest.mark.parametrize(
    ("error", "kind", "why"),
    [
        (smtplib.SMTPAuthenticationError(535, b"no"), SettingsError, "535 no"),
        (smtplib.SMTPDataError(554, b"spam"), RefusedMailError, "554 spam"),
        (smtplib.SMTPDataError(451, b"later"), OpsctlError, "451 later"),
        (smtplib.SMTPSenderRefused(550, b"who", "a@b"), RefusedMailError, "550 who"),
        (
            smtplib.SMTPRecipientsRefused({"a@b": (550, b"gone")}),
            RefusedMailError,
            "a@b: 550 gone",
        ),
        (smtplib.SMTPRecipientsRefused({"a@b": (450, b"full")}), OpsctlError, "a@b: 450 full"),
        (smtplib.SMTPServerDisconnected("bye"), UnreachableError, "bye"),
        (smtplib.SMTPNotSupportedError("no STARTTLS"), SettingsError, "no STARTTLS"),
        (TimeoutError("late"), UnreachableError, "late"),
        (ssl.SSLError(1, "bad"), UnreachableError, "bad"),
        (ConnectionRefusedError(111, "Connection refused"), UnreachableError, "connection refused"),
    ],
)
def test_each_error_says_what_is_wrong(error: Exception, kind: type[OpsctlError], why: str) -> None:
    ours = translate(error, "mail:25")

    assert type(ours) is kind
    assert ours.why.lower() == why.lower()
    assert ours.what.startswith("the mail server mail:25 ")
