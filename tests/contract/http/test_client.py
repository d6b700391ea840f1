import logging
import shutil
import ssl
import subprocess
import threading
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from opsctl import __version__
from opsctl.errors import OpsctlError, SettingsError, UnreachableError
from opsctl.systems.clock import SystemClock
from opsctl.systems.http.client import Http, HttpRequest, HttpResponse, HttpxHttp, parse_date
from tests.contexts import CANARY, DATE, Running, running
from tests.engines.addresses import Address
from tests.fakes.http import ScriptedHttp

LIMIT_S = 0.6
# None of these would end by itself in less than a minute; the machine does other things as well.
IN_TIME_S = LIMIT_S + 20


@pytest.fixture
def site() -> Iterator[Running]:
    with running() as site:
        yield site


@pytest.fixture
def http() -> HttpxHttp:
    return HttpxHttp(clock=SystemClock())


@dataclass(frozen=True)
class Answering:
    http: Http
    url: str
    down: str


@pytest.fixture(params=["fake", "real"])
def answering(request: pytest.FixtureRequest, site: Running, dead_address: Address) -> Answering:
    down = f"http://{dead_address.host}:{dead_address.port}/{CANARY}"
    if request.param == "real":
        return Answering(HttpxHttp(clock=SystemClock()), site.url(), down)
    well = HttpResponse(200, {"date": DATE}, b"well")
    gone = UnreachableError(f"no answer from http://{dead_address.host}:{dead_address.port}")
    scripted = ScriptedHttp({("GET", site.url()): well, ("GET", down): gone})
    return Answering(scripted, site.url(), down)


def test_an_answer_has_status_body_and_the_servers_clock(answering: Answering) -> None:
    answer = answering.http.send(HttpRequest(answering.url))

    assert (answer.status, answer.body) == (200, b"well")
    assert answer.date == datetime(2026, 11, 20, 10, tzinfo=UTC)


def test_a_body_over_the_bound_is_not_kept(answering: Answering) -> None:
    with pytest.raises(OpsctlError, match="too long") as caught:
        answering.http.send(HttpRequest(answering.url, max_body_bytes=3))

    assert caught.value.exit_code == 1


def test_an_address_that_is_down_is_unreachable(answering: Answering) -> None:
    with pytest.raises(UnreachableError) as caught:
        answering.http.send(HttpRequest(answering.down))

    assert CANARY not in told(caught.value)


def test_what_is_no_web_address_is_a_setting(answering: Answering) -> None:
    with pytest.raises(SettingsError):
        answering.http.send(HttpRequest(f"ftp://{CANARY}"))


def test_an_answer_that_says_no_is_still_an_answer(http: HttpxHttp, site: Running) -> None:
    assert http.send(HttpRequest(site.url("/nothing"))).status == 404


def test_a_redirect_is_not_followed(http: HttpxHttp, site: Running) -> None:
    answer = http.send(HttpRequest(site.url("/elsewhere")))

    assert answer.status == 302
    assert answer.headers["location"].startswith("http://elsewhere.invalid/")


def test_a_body_is_sent(http: HttpxHttp, site: Running) -> None:
    answer = http.send(HttpRequest(site.url("/"), method="POST", body=b"hello"))

    assert answer.body == b"hello"


def test_we_say_who_we_are_and_ask_for_plain_bytes(http: HttpxHttp, site: Running) -> None:
    http.send(HttpRequest(site.url(), headers={"X-Token": "t"}))

    seen = site.seen[0]
    assert (seen["user-agent"], seen["x-token"]) == (f"opsctl/{__version__}", "t")
    assert seen["accept-encoding"] == "identity"
    assert seen["host"] == f"127.0.0.1:{site.port}"


def test_credentials_of_the_address_become_a_header(http: HttpxHttp, site: Running) -> None:
    http.send(HttpRequest(f"http://me:p%40ss@127.0.0.1:{site.port}/well"))

    assert site.seen[0]["authorization"] == "Basic bWU6cEBzcw=="


def test_a_proxy_of_the_environment_is_not_used(
    http: HttpxHttp, site: Running, dead_address: Address, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = f"http://{dead_address.host}:{dead_address.port}"
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, proxy)

    assert http.send(HttpRequest(site.url())).status == 200


def test_a_name_is_pinned_to_its_address_and_kept_as_host(site: Running) -> None:
    http = HttpxHttp(clock=SystemClock(), lookup=lambda _host, _port: ["127.0.0.1"])

    http.send(HttpRequest(f"http://stack.test:{site.port}/well"))

    assert site.seen[0]["host"] == f"stack.test:{site.port}"


def test_an_address_of_ipv6_is_dialled_as_one(http: HttpxHttp) -> None:
    error, _ = failure_of(http, "http://[::1]:1/")

    assert isinstance(error, UnreachableError)
    assert "http://[::1]:1" in error.what


def test_the_next_address_is_tried_when_the_first_refuses(site: Running) -> None:
    http = HttpxHttp(clock=SystemClock(), lookup=lambda _host, _port: ["127.0.0.9", "127.0.0.1"])

    assert http.send(HttpRequest(f"http://stack.test:{site.port}/well")).status == 200


@pytest.mark.parametrize("page", ["/dripping_headers", "/dripping_body"])
def test_a_server_that_drips_does_not_hold_us_past_the_deadline(
    http: HttpxHttp, site: Running, page: str
) -> None:
    error, took_s = failure_of(http, site.url(page))

    assert isinstance(error, UnreachableError)
    assert error.why == "no whole answer within 0.6 s"
    assert took_s < IN_TIME_S


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("kind", ["dead_address", "black_hole", "full_backlog"])
def test_an_address_that_does_not_answer_fails_in_time(
    request: pytest.FixtureRequest, http: HttpxHttp, kind: str, scheme: str
) -> None:
    address: Address = request.getfixturevalue(kind)
    end = f"{address.host}:{address.port}"

    error, took_s = failure_of(http, f"{scheme}://u:{CANARY}@{end}/{CANARY}?q={CANARY}")

    assert isinstance(error, UnreachableError)
    assert error.exit_code == 7
    assert f"{scheme}://{end}" in error.what
    assert CANARY not in told(error)
    assert took_s < IN_TIME_S


def test_a_name_that_no_one_knows_fails_in_time(http: HttpxHttp) -> None:
    error, took_s = failure_of(http, "http://nowhere.invalid/")

    assert isinstance(error, UnreachableError)
    assert took_s < IN_TIME_S


def test_a_name_service_that_hangs_does_not_hold_us() -> None:
    asked = threading.Event()

    def hang(_host: str, _port: int) -> list[str]:
        asked.wait(60)
        return []

    error, took_s = failure_of(HttpxHttp(clock=SystemClock(), lookup=hang), "http://stack.test/")
    asked.set()

    assert isinstance(error, UnreachableError)
    assert "name service" in error.why
    assert took_s < IN_TIME_S


@pytest.mark.parametrize("page", ["/cut", "/nonsense"])
def test_half_an_answer_or_nonsense_is_no_answer(http: HttpxHttp, site: Running, page: str) -> None:
    error, _ = failure_of(http, site.url(page), limit_s=20)

    assert isinstance(error, UnreachableError)
    assert "is not HTTP" in error.what


@pytest.mark.parametrize(
    "request_", [
        HttpRequest(f"http://h:p{CANARY}/"),
        HttpRequest(f"http://u:p@{CANARY}@h:99999/"),
        HttpRequest(f"gopher://{CANARY}/"),
        HttpRequest(CANARY),
        HttpRequest(""),
        HttpRequest("http://h/", headers={"x": f"{CANARY}\N{EURO SIGN}"}),
    ], ids=range(6),
)  # fmt: skip
def test_what_cannot_be_used_is_not_shown(http: HttpxHttp, request_: HttpRequest) -> None:
    with pytest.raises(SettingsError) as caught:
        http.send(request_)

    assert CANARY not in told(caught.value)


def test_a_header_that_http_forbids_is_not_shown(http: HttpxHttp, site: Running) -> None:
    request = HttpRequest(site.url(), headers={"authorization": f"{CANARY}\r\nx: y"})

    with pytest.raises(OpsctlError, match="cannot send") as caught:
        http.send(request)

    assert CANARY not in told(caught.value)


def test_no_log_line_and_no_repr_holds_a_secret(
    http: HttpxHttp, site: Running, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    request = HttpRequest(
        f"http://u:{CANARY}@127.0.0.1:{site.port}/cookie?q={CANARY}",
        headers={"x": CANARY},
        body=CANARY.encode(),
    )

    answer = http.send(request)

    assert answer.headers["set-cookie"] == CANARY
    assert not any(CANARY in text for text in (caplog.text, repr(request), repr(answer)))


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a certificate of our own for 127.0.0.1 and stack.test."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl: not in PATH")
    made = tmp_path_factory.mktemp("tls") / "server.pem"
    names = "subjectAltName=IP:127.0.0.1,DNS:stack.test"
    words = f"openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=stack -addext {names}"
    subprocess.run(
        [*words.split(), "-keyout", made, "-out", made.with_suffix(".crt")],
        check=True,
        capture_output=True,
        timeout=60,
    )
    made.write_text(made.read_text() + made.with_suffix(".crt").read_text())
    return made


@pytest.fixture
def secure_site(certificate: Path) -> Iterator[Running]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with running(context) as site:
        yield site


def test_a_self_signed_server_is_refused(http: HttpxHttp, secure_site: Running) -> None:
    error, _ = failure_of(http, secure_site.url(scheme="https"), limit_s=20)

    assert isinstance(error, UnreachableError)
    assert error.why == "self-signed certificate"
    assert secure_site.seen == []


def test_an_authority_of_our_own_is_trusted(secure_site: Running, certificate: Path) -> None:
    http = HttpxHttp(clock=SystemClock(), ca_file=certificate.with_suffix(".crt"))

    assert http.send(HttpRequest(secure_site.url(scheme="https"))).status == 200


def test_the_certificate_is_held_to_the_name_and_not_the_address(
    secure_site: Running, certificate: Path
) -> None:
    trusted = certificate.with_suffix(".crt")
    http = HttpxHttp(clock=SystemClock(), ca_file=trusted, lookup=lambda _h, _p: ["127.0.0.1"])

    right = http.send(HttpRequest(f"https://stack.test:{secure_site.port}/well"))
    error, _ = failure_of(http, f"https://other.test:{secure_site.port}/well", limit_s=20)

    assert right.status == 200
    assert "other.test" in error.why


def test_certificates_that_cannot_be_read_are_a_setting(
    secure_site: Running, tmp_path: Path
) -> None:
    http = HttpxHttp(clock=SystemClock(), ca_file=tmp_path / "none.pem")

    error, _ = failure_of(http, secure_site.url(scheme="https"))

    assert isinstance(error, SettingsError)
    assert "none.pem" in error.what


@pytest.mark.parametrize(
    ("text", "hours"),
    [(DATE, 0), ("Fri, 20 Nov 2026 10:00:00 -0000", 0), ("Fri, 20 Nov 2026 12:00:00 +0200", 0)],
)
def test_a_date_is_read_in_utc(text: str, hours: int) -> None:
    assert parse_date(text) == datetime(2026, 11, 20, 10, tzinfo=UTC) + timedelta(hours=hours)


@pytest.mark.parametrize("text", ["", "yesterday", "Fri, 99 Nov 2026 10:00:00 GMT"])
def test_a_date_that_cannot_be_read_is_none(text: str) -> None:
    assert parse_date(text) is None


def failure_of(http: Http, url: str, *, limit_s: float = LIMIT_S) -> tuple[OpsctlError, float]:
    clock = SystemClock()
    began = clock.steady()
    with pytest.raises(OpsctlError) as caught:
        http.send(HttpRequest(url, limit_s=limit_s))
    return caught.value, clock.steady() - began


def told(error: BaseException) -> str:
    """Show all that `-v` twice would show, and more."""
    return "".join([repr(vars(error)), *traceback.format_exception(error)])
