"""Mail over TLS to a real server: by STARTTLS or from the first byte, and never without."""

import ssl
from collections.abc import Callable
from pathlib import Path

import pytest

from opsctl.errors import OpsctlError, SettingsError, UnreachableError
from opsctl.systems.clock import SystemClock
from opsctl.systems.mail import MailMessage, MailServer, SmtpMail
from tests.engines.mail import Postbox

MakePostbox = Callable[..., Postbox]
CANARY = "c4n4ry-of-mail"
LETTER = MailMessage("opsctl@box", ("a@box",), b"Subject: full\r\n\r\n/ is full\r\n")


def send(box: Postbox, tls: str, *, host: str = "127.0.0.1", ca_file: Path | None = None) -> None:
    server = MailServer(host, box.port, tls=tls, user="op", password=CANARY, ca_file=ca_file)
    mail = SmtpMail(server, clock=SystemClock(), lookup=lambda _host, _port: ["127.0.0.1"])
    mail.send(LETTER, limit_s=25)


def refused(box: Postbox, tls: str, *, host: str = "127.0.0.1") -> OpsctlError:
    """Try to send, and see that neither letter nor password reached the server."""
    with pytest.raises(OpsctlError) as caught:
        send(box, tls, host=host)
    assert (box.letters, box.logins) == ([], [])
    assert CANARY not in f"{caught.value.what} {caught.value.why}"
    return caught.value


@pytest.fixture(params=["starttls", "tls"])
def tls(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def box(make_postbox: MakePostbox, served: ssl.SSLContext, tls: str) -> Postbox:
    return make_postbox(served, is_secure_at_once=tls == "tls")


def test_login_and_letter_go_over_tls(
    box: Postbox, tls: str, authority: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority))

    send(box, tls)

    assert [to for _, to, _ in box.letters] == [["a@box"]]
    assert len(box.logins) == 1
    assert box.overheard.isdisjoint({"AUTH", "MAIL", "RCPT", "DATA"})


def test_an_authority_that_is_named_is_trusted(box: Postbox, tls: str, authority: Path) -> None:
    send(box, tls, ca_file=authority)

    assert len(box.letters) == 1


def test_a_certificate_that_nobody_vouches_for_is_refused(box: Postbox, tls: str) -> None:
    error = refused(box, tls)

    assert isinstance(error, UnreachableError)
    assert "has a certificate that is not trusted" in error.what
    assert "self-signed certificate" in error.why


def test_a_certificate_is_held_to_the_name(
    box: Postbox, tls: str, authority: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority))

    error = refused(box, tls, host="other.test")
    send(box, tls, host="stack.test")

    assert "other.test" in error.why
    assert len(box.letters) == 1


def test_an_offer_of_starttls_that_was_stripped_is_missed(
    make_postbox: MakePostbox, served: ssl.SSLContext
) -> None:
    box = make_postbox(served)
    box.answers["EHLO"] = b"250-box\r\n250 AUTH PLAIN"

    error = refused(box, "starttls")

    assert isinstance(error, SettingsError)
    assert box.overheard <= {"EHLO", "QUIT"}


def test_a_server_that_takes_back_its_offer_gets_nothing(
    make_postbox: MakePostbox, served: ssl.SSLContext
) -> None:
    box = make_postbox(served)
    box.answers["STARTTLS"] = b"454 not now"

    error = refused(box, "starttls")

    assert "454 not now" in error.why


def test_a_server_without_tls_is_not_talked_to_in_plain(postbox: Postbox) -> None:
    error = refused(postbox, "tls")

    assert "does not support TLS as configured" in error.what
