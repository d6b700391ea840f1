"""HTTP: one request, one deadline for all of it, a bounded answer, and nothing followed."""

import asyncio
import contextlib
import logging
import ssl
from base64 import b64encode
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, Protocol

import httpx2

from opsctl import __version__
from opsctl.errors import OpsctlError, SettingsError, UnreachableError
from opsctl.systems.clock import Clock
from opsctl.systems.deadline import Deadline
from opsctl.systems.http.allowed_addresses import AllowedAddresses
from opsctl.systems.http.errors import DRIVER_ERRORS, tells_what_was_sent, translate
from opsctl.systems.network.sockets import Lookup, look_up, reason, resolve

USER_AGENT = f"opsctl/{__version__}"
# At debug it logs every header of an answer, cookies too.
logging.getLogger("httpcore2").setLevel(logging.WARNING)

_TRUST_NO_ONE = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
_LAST_PORT = 65_535
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class HttpRequest:
    url: str = field(repr=False)
    """Never shown: the path of a webhook is its password."""
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)
    limit_s: float = 5.0
    """For all of it: name, connection, TLS, the last byte of the answer."""
    max_body_bytes: int = 1_000_000
    allowed: AllowedAddresses | None = None
    """Where it may go; None is anywhere."""


@dataclass(frozen=True, slots=True)
class HttpResponse:
    status: int
    headers: Mapping[str, str] = field(repr=False)
    """Names in lower case."""
    body: bytes = field(repr=False)

    @property
    def date(self) -> datetime | None:
        """The server's clock when it answered, to the second; None if it sent none."""
        return parse_date(self.headers.get("date", ""))


class Http(Protocol):
    def send(self, request: HttpRequest) -> HttpResponse:
        """Fetch whatever answers, 404 and 503 too; redirects are answers, and are not followed."""
        ...


class HttpxHttp:
    """A connection for each request; the environment's proxies are not used.

    Not for use inside a running event loop: the cancelling that a deadline needs is asyncio's.
    """

    def __init__(
        self, *, clock: Clock, ca_file: Path | None = None, lookup: Lookup = look_up
    ) -> None:
        self._clock = clock
        self._ca_file = ca_file
        self._lookup = lookup

    def send(self, request: HttpRequest) -> HttpResponse:
        deadline = Deadline.after(self._clock, request.limit_s)
        prepared, origin = prepare(request)
        url = prepared.url
        port = url.port or _PORTS[url.scheme]
        addresses = resolve(url.host, port, deadline=deadline, lookup=self._lookup)
        if request.allowed is not None:
            request.allowed.check(origin, url.scheme, addresses)
        dials = [_pinned(prepared, address) for address in addresses]
        try:
            return asyncio.run(self._exchange(dials, deadline, origin, request.max_body_bytes))
        except TimeoutError as error:
            why = f"no whole answer within {request.limit_s:g} s"
            raise UnreachableError(f"no answer from {origin}", why=why) from error
        except DRIVER_ERRORS as error:
            ours = translate(error, origin)
            raise ours from (None if tells_what_was_sent(error) else error)

    async def _exchange(
        self, dials: Sequence[httpx2.Request], deadline: Deadline, origin: str, max_bytes: int
    ) -> HttpResponse:
        trust = self._trust() if dials[0].url.scheme == "https" else _TRUST_NO_ONE
        async with (
            _closed_behind_us(dials),
            asyncio.timeout(deadline.left_s()),
            # The transport alone: the client above it logs whole URLs and follows cookies.
            httpx2.AsyncHTTPTransport(verify=trust, trust_env=False) as transport,
        ):
            answer = await _first_to_answer(transport, dials, deadline)
            try:
                body = await _read(answer, origin, max_bytes)
            finally:
                await answer.aclose()
        return HttpResponse(answer.status_code, dict(answer.headers), body)

    def _trust(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        try:
            if self._ca_file is not None:
                context.load_verify_locations(self._ca_file)
        except OSError as error:
            raise SettingsError(
                f"cannot read certificates from {self._ca_file}", why=reason(error)
            ) from error
        return context


def prepare(request: HttpRequest) -> tuple[httpx2.Request, str]:
    """Build the request, and its origin without the secrets of the URL."""
    try:
        url = httpx2.URL(request.url)
        message = httpx2.Request(
            request.method, url, headers=_headers(request, url), content=request.body or None
        )
    except (httpx2.InvalidURL, UnicodeError):
        url, message = httpx2.URL(""), None
    usable = url.scheme in _PORTS and url.host and (url.port or 80) <= _LAST_PORT
    if message is None or not usable:
        raise SettingsError(
            "cannot use a web address or a header",
            why="it is not an http or https URL, or not plain text",
            hint="Write https://host/path.",
        )
    return message, f"{url.scheme}://{url.netloc.decode()}"


def _headers(request: HttpRequest, url: httpx2.URL) -> dict[str, str]:
    headers = {"user-agent": USER_AGENT, "accept": "*/*", "accept-encoding": "identity"}
    if url.userinfo:
        login = b64encode(f"{url.username}:{url.password}".encode()).decode()
        headers["authorization"] = f"Basic {login}"
    return headers | {name.lower(): value for name, value in request.headers.items()}


def _pinned(message: httpx2.Request, address: str) -> httpx2.Request:
    """Send to this address; the certificate and the Host header stay those of the name."""
    url = message.url
    return httpx2.Request(
        message.method,
        url.copy_with(host=address),
        headers=message.headers,
        stream=message.stream,
        extensions={"sni_hostname": url.host},
    )


@contextlib.asynccontextmanager
async def _closed_behind_us(dials: Sequence[httpx2.Request]) -> AsyncIterator[None]:
    """Close what was opened: httpcore2 forgets a connection cancelled in its TLS handshake."""
    opened: list[Any] = []

    async def note(event: str, info: Mapping[str, Any]) -> None:
        if event == "connection.connect_tcp.complete":
            opened.append(info["return_value"])

    for dialled in dials:
        dialled.extensions["trace"] = note
    try:
        yield
    finally:
        for stream in opened:
            await stream.aclose()


async def _first_to_answer(
    transport: httpx2.AsyncHTTPTransport, dials: Sequence[httpx2.Request], deadline: Deadline
) -> httpx2.Response:
    """Try one address after the other, as long as nothing has been sent."""
    for index, dialled in enumerate(dials[:-1]):
        share_s = deadline.left_s() / (len(dials) - index)
        dialled.extensions["timeout"] = {"connect": share_s}
        with contextlib.suppress(httpx2.ConnectError, httpx2.ConnectTimeout):
            return await transport.handle_async_request(dialled)
    return await transport.handle_async_request(dials[-1])


async def _read(answer: httpx2.Response, origin: str, max_bytes: int) -> bytes:
    body = bytearray()
    async for chunk in answer.aiter_raw():
        body += chunk
        if len(body) > max_bytes:
            raise OpsctlError(
                f"the answer from {origin} is too long", why=f"it has more than {max_bytes} bytes"
            )
    return bytes(body)


def parse_date(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
