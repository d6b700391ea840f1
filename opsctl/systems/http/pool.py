"""HTTP for services: connections kept open, answers whole or in pieces, a deadline for each."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import httpx2

from opsctl.errors import OpsctlError, SettingsError, UnreachableError
from opsctl.systems.http.client import HttpRequest, HttpResponse, prepare
from opsctl.systems.http.errors import DRIVER_ERRORS, tells_what_was_sent, translate
from opsctl.systems.network.sockets import reason


@dataclass(frozen=True, slots=True)
class HttpStream:
    """An answer whose body has not been read; `chunks` ends with it."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    """Names in lower case."""
    chunks: AsyncIterator[bytes] = field(repr=False)


class HttpPool(Protocol):
    async def send(self, request: HttpRequest) -> HttpResponse:
        """Fetch whatever answers; redirects are answers, and are not followed."""
        ...

    def stream(
        self, request: HttpRequest, *, silence_s: float
    ) -> AbstractAsyncContextManager[HttpStream]:
        """Fetch the head within the request's limit; the body ends when it is silent too long."""
        ...

    async def close(self) -> None: ...


class HttpxPool:
    """Belongs to the event loop that uses it; the environment's proxies are not used."""

    def __init__(self, *, connections: int = 100, ca_file: Path | None = None) -> None:
        self._connections = connections
        self._ca_file = ca_file
        self._loop: asyncio.AbstractEventLoop | None = None
        self._opened: httpx2.AsyncHTTPTransport | None = None

    async def send(self, request: HttpRequest) -> HttpResponse:
        async with self._answer(request) as (answer, origin):
            with _late(origin, request.limit_s):
                async with asyncio.timeout_at(_end(answer)):
                    body = await _whole(answer, origin, request.max_body_bytes)
            return HttpResponse(answer.status_code, dict(answer.headers), body)

    @contextlib.asynccontextmanager
    async def stream(self, request: HttpRequest, *, silence_s: float) -> AsyncIterator[HttpStream]:
        async with self._answer(request) as (answer, origin):
            chunks = _pieces(answer, origin, silence_s)
            try:
                yield HttpStream(answer.status_code, dict(answer.headers), chunks)
            finally:
                await chunks.aclose()

    async def close(self) -> None:
        opened, self._opened = self._opened, None
        if opened is not None and self._loop is asyncio.get_running_loop():
            await opened.aclose()

    @contextlib.asynccontextmanager
    async def _answer(self, request: HttpRequest) -> AsyncIterator[tuple[httpx2.Response, str]]:
        message, origin = prepare(request)
        # The first one loads the driver's backend, which is no part of the request's time.
        transport = self._transport()
        ends_at = asyncio.get_running_loop().time() + request.limit_s
        # The pool must not wait longer than we do; the rest is bounded from outside.
        message.extensions["timeout"] = dict.fromkeys(("connect", "pool"), request.limit_s)
        message.extensions["opsctl.ends_at"] = ends_at
        with _late(origin, request.limit_s):
            async with closed_on_failure([message]), asyncio.timeout_at(ends_at):
                answer = await transport.handle_async_request(message)
        answer.request = message
        try:
            yield answer, origin
        finally:
            with contextlib.suppress(*DRIVER_ERRORS):
                await answer.aclose()

    def _transport(self) -> httpx2.AsyncHTTPTransport:
        loop = asyncio.get_running_loop()
        if self._opened is None or self._loop is not loop:
            limits = httpx2.Limits(max_connections=self._connections, keepalive_expiry=30.0)
            self._loop = loop
            self._opened = httpx2.AsyncHTTPTransport(
                verify=trusting(self._ca_file), trust_env=False, limits=limits
            )
        return self._opened


@contextlib.asynccontextmanager
async def closed_on_failure(messages: Sequence[httpx2.Request]) -> AsyncIterator[None]:
    """Close what was opened in vain: httpcore2 forgets a connection cancelled in its handshake."""
    opened: list[Any] = []

    async def note(event: str, info: Mapping[str, Any]) -> None:
        if event == "connection.connect_tcp.complete":
            opened.append(info["return_value"])

    for message in messages:
        message.extensions["trace"] = note
    try:
        yield
    except BaseException:
        for stream in opened:
            await stream.aclose()
        raise


def trusting(ca_file: Path | None) -> ssl.SSLContext:
    """Trust the machine's own list, and one authority more where it is named."""
    context = ssl.create_default_context()
    try:
        if ca_file is not None:
            context.load_verify_locations(ca_file)
    except OSError as error:
        raise SettingsError(
            f"cannot read certificates from {ca_file}", why=reason(error)
        ) from error
    return context


def _end(answer: httpx2.Response) -> float:
    ends_at: float = answer.request.extensions["opsctl.ends_at"]
    return ends_at


async def _whole(answer: httpx2.Response, origin: str, max_bytes: int) -> bytes:
    body = bytearray()
    async for chunk in answer.aiter_bytes():
        body += chunk
        if len(body) > max_bytes:
            raise OpsctlError(
                f"the answer from {origin} is too long", why=f"it has more than {max_bytes} bytes"
            )
    return bytes(body)


async def _pieces(
    answer: httpx2.Response, origin: str, silence_s: float
) -> AsyncGenerator[bytes, None]:
    chunks = answer.aiter_bytes()
    while True:
        with _late(origin, silence_s):
            try:
                async with asyncio.timeout(silence_s):
                    chunk = await anext(chunks)
            except StopAsyncIteration:
                return
        yield chunk


@contextlib.contextmanager
def _late(origin: str, limit_s: float) -> Iterator[None]:
    try:
        yield
    except TimeoutError as error:
        why = f"no whole answer within {limit_s:g} s"
        raise UnreachableError(f"no answer from {origin}", why=why) from error
    except DRIVER_ERRORS as error:
        ours = translate(error, origin)
        raise ours from (None if tells_what_was_sent(error) else error)
