"""Mails to a real SMTP server."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from email import message_from_bytes, policy

import pytest

from opsctl.errors import OpsctlError
from opsctl.notify.channels.mail import MailChannel
from opsctl.notify.model import AlertEvent, AlertMessage, Bundle, Severity
from opsctl.systems.clock import SystemClock
from opsctl.systems.mail import MailServer, SmtpMail
from tests.engines.mail import Postbox

CANARY = "c4n4ry-of-mail"
MESSAGE = AlertMessage(
    key="disk:/:space",
    topic="disk",
    severity=Severity.CRITICAL,
    event=AlertEvent.RAISED,
    summary="disk / ist voll: 91 %\r\nBcc: all@example.org",
    at=datetime(2026, 3, 10, 3, tzinfo=UTC),
    fix="`opsctl prune`",
    where="stack prod box",
)
BUNDLE = Bundle("0123abcd", (MESSAGE,))


def channel(box: Postbox, **server: str) -> MailChannel:
    named = MailServer("127.0.0.1", box.port, **{"tls": "none", **server})  # type: ignore[arg-type]  # names of texts only
    return MailChannel(SmtpMail(named, clock=SystemClock()), "opsctl@box", ("a@box", "b@box"))


def test_a_mail_arrives_with_all_recipients(postbox: Postbox) -> None:
    answer = channel(postbox).send(BUNDLE, limit_s=25)

    assert answer.is_accepted
    ((sender, to, content),) = postbox.letters
    letter = message_from_bytes(content, policy=policy.default)
    assert (sender, to) == ("opsctl@box", ["a@box", "b@box"])
    assert letter["Message-ID"] == "<0123abcd@opsctl.invalid>"
    assert str(letter["Subject"]).startswith("[stack prod box] CRITICAL: disk / ist voll: 91 %")
    assert letter["Bcc"] is None
    assert "To fix: `opsctl prune`" in letter.get_content()


def test_a_temporary_failure_is_not_a_rejection(postbox: Postbox) -> None:
    postbox.answers["END"] = b"452 later"

    answer = channel(postbox).send(BUNDLE, limit_s=25)

    assert (answer.is_accepted, answer.is_rejected) == (False, False)
    assert "452 later" in answer.error


def test_a_mail_without_a_valid_recipient_is_rejected(postbox: Postbox) -> None:
    postbox.answers["RCPT"] = b"550 who is that"

    answer = channel(postbox).send(BUNDLE, limit_s=25)

    assert answer.is_rejected
    assert "550 who is that" in answer.error


def test_a_server_that_never_answers_blocks_nobody(postbox: Postbox) -> None:
    postbox.is_mute = True
    began = time.monotonic()

    answer = channel(postbox).send(BUNDLE, limit_s=0.3)

    assert time.monotonic() - began < 25
    assert "did not answer in time" in answer.error


@pytest.mark.parametrize(
    ("verb", "said"), [("CONNECT", b"554 go away"), ("EHLO", b"500 what"), ("DATA", b"554 spam")]
)
def test_a_failure_is_a_result(postbox: Postbox, verb: str, said: bytes) -> None:
    postbox.answers[verb] = said
    postbox.answers["HELO"] = said

    answer = channel(postbox).send(BUNDLE, limit_s=25)

    assert not answer.is_accepted
    assert said.decode() in answer.error


def test_mail_is_never_sent_without_starttls(postbox: Postbox) -> None:
    answer = channel(postbox, tls="starttls", user="op", password=CANARY).send(BUNDLE, limit_s=25)

    assert not answer.is_accepted
    assert postbox.logins == []
    assert "does not support the request" in answer.error
    assert CANARY not in answer.error


def test_an_unreachable_server_is_an_error(make_postbox: Callable[..., Postbox]) -> None:
    box = make_postbox()
    box.port = 1

    with pytest.raises(OpsctlError, match="is unreachable"):
        SmtpMail(MailServer("127.0.0.1", 1, tls="none"), clock=SystemClock()).send(
            channel(box)._build_mail(BUNDLE),
            limit_s=25,
        )
