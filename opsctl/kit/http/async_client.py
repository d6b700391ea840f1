"""`AsyncHttpClient`: retries what is safe, within a deadline, a rate limit and a breaker."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self, Unpack

from opsctl.errors import UnreachableError
from opsctl.kit.errors import BreakerOpenError
from opsctl.kit.http.request import PendingRequest, RequestOptions
from opsctl.kit.http.response import Response
from opsctl.kit.http.retries import describe_failure
from opsctl.kit.http.task_transport import AsyncHttpTransport, AsyncResponseStream
from opsctl.kit.limits.rates import Rate
from opsctl.systems.http.client import HttpRequest

if TYPE_CHECKING:
    from opsctl.kit.limits.async_limiter import AsyncRateLimiter

_Fetch = Callable[[HttpRequest], Awaitable[AsyncResponseStream]]


@dataclass(frozen=True)
class AsyncHttpClient(AsyncHttpTransport):
    """Use one per event loop."""

    limiter: "AsyncRateLimiter | None" = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def with_rate_limiter(self, limiter: "AsyncRateLimiter", rate: Rate | str) -> Self:
        """Wait for the rate limit before every attempt, as long as the deadline allows."""
        return replace(self, limiter=limiter, rate=rate)

    async def get(self, url: str, **options: Unpack[RequestOptions]) -> Response:
        return await self.request("GET", url, **options)

    async def post(self, url: str, **options: Unpack[RequestOptions]) -> Response:
        """Retried only if the server cannot have acted on it, or with an Idempotency-Key."""
        return await self.request("POST", url, **options)

    async def put(self, url: str, **options: Unpack[RequestOptions]) -> Response:
        return await self.request("PUT", url, **options)

    async def delete(self, url: str, **options: Unpack[RequestOptions]) -> Response:
        return await self.request("DELETE", url, **options)

    async def request(self, method: str, url: str, **options: Unpack[RequestOptions]) -> Response:
        """Return any response, 404 and 503 too; UnreachableError when there is none."""
        received = await self._fetch(self._prepare(method, url, options), self._send)
        return received.response

    @asynccontextmanager
    async def stream(
        self, method: str, url: str, **options: Unpack[RequestOptions]
    ) -> AsyncIterator[AsyncResponseStream]:
        """Retry until there is a response; its body is read in chunks, without retries."""
        stream = await self._fetch(self._prepare(method, url, options), self._open_stream)
        try:
            yield stream
        finally:
            await stream.close()

    async def _fetch(self, pending: PendingRequest, send: _Fetch) -> AsyncResponseStream:
        while True:
            try:
                received = await self._attempt(pending, send)
            except BreakerOpenError:
                raise
            except UnreachableError as error:
                pause_s = self._pause_s(pending, error)
                if pause_s is None:
                    raise
            else:
                pause_s = self._pause_s(pending, received.response)
                if pause_s is None:
                    return received
                await received.close()
            await self.clock.rest(pause_s)

    async def _attempt(self, pending: PendingRequest, send: _Fetch) -> AsyncResponseStream:
        with self._guard() as guarded:
            if self.limiter is not None:
                await self.limiter.wait(self.rate, max_wait=pending.left_s)
            received = await send(pending.next_request(self.settings.attempt_s))
            guarded.mark_failed(describe_failure(received.response))
            return received
