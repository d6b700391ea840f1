"""`AsyncHttpClient`: the words of `HttpClient`, to be awaited."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self, Unpack

from opsctl.errors import UnreachableError
from opsctl.kit.errors import BreakerOpenError
from opsctl.kit.http_answer import Answer
from opsctl.kit.http_call import Call, Order, origin_of
from opsctl.kit.http_client import BaseHttpClient
from opsctl.kit.http_rules import failure_of
from opsctl.kit.rates import Rate
from opsctl.systems.http.client import HttpRequest

if TYPE_CHECKING:
    from opsctl.kit.limiter import AsyncRateLimiter


class AsyncStream:
    """An answer that is read piece by piece."""

    def __init__(
        self, answer: Answer, chunks: AsyncIterator[bytes], close: Callable[[], Awaitable[None]]
    ) -> None:
        self.answer = answer
        """Status and headers; its body is empty."""
        self._chunks = chunks
        self.close = close

    def chunks(self) -> AsyncIterator[bytes]:
        return self._chunks


_NO_CHUNKS: tuple[bytes, ...] = ()
_Fetch = Callable[[HttpRequest], Awaitable[AsyncStream]]


@dataclass(frozen=True)
class AsyncHttpClient(BaseHttpClient):
    """For one event loop."""

    limiter: "AsyncRateLimiter | None" = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def with_rate_limiter(self, limiter: "AsyncRateLimiter", rate: Rate | str) -> Self:
        """Wait for the limit before every attempt, as long as the deadline allows."""
        return replace(self, limiter=limiter, rate=rate)

    async def get(self, url: str, **call: Unpack[Call]) -> Answer:
        return await self.request("GET", url, **call)

    async def post(self, url: str, **call: Unpack[Call]) -> Answer:
        """Repeated only if it cannot have been done, or carries an Idempotency-Key."""
        return await self.request("POST", url, **call)

    async def put(self, url: str, **call: Unpack[Call]) -> Answer:
        return await self.request("PUT", url, **call)

    async def delete(self, url: str, **call: Unpack[Call]) -> Answer:
        return await self.request("DELETE", url, **call)

    async def request(self, method: str, url: str, **call: Unpack[Call]) -> Answer:
        """Fetch whatever answers, 404 and 503 too; UnreachableError when nothing does."""
        found = await self._deliver(self._order(method, url, call), self._whole)
        return found.answer

    @asynccontextmanager
    async def stream(
        self, method: str, url: str, **call: Unpack[Call]
    ) -> AsyncIterator[AsyncStream]:
        """Fetch the head with retries; the body comes piece by piece and is not retried."""
        stream = await self._deliver(self._order(method, url, call), self._head)
        try:
            yield stream
        finally:
            await stream.close()

    async def close(self) -> None:
        """Close the connections, also of all clients made from this one."""
        await self.pool.close()

    async def _deliver(self, sent: Order, fetch: _Fetch) -> AsyncStream:
        while True:
            try:
                found = await self._attempt(sent, fetch)
            except BreakerOpenError:
                raise
            except UnreachableError as error:
                pause_s = self._pause_s(sent, error)
                if pause_s is None:
                    raise
            else:
                pause_s = self._pause_s(sent, found.answer)
                if pause_s is None:
                    return found
                await found.close()
            await self.clock.rest(pause_s)

    async def _attempt(self, sent: Order, fetch: _Fetch) -> AsyncStream:
        with self._guard() as attempt:
            if self.limiter is not None:
                await self.limiter.wait(self.rate, max_wait=sent.left_s)
            found = await fetch(sent.next_request(self.settings.attempt_s))
            attempt.failed(failure_of(found.answer))
            return found

    async def _whole(self, request: HttpRequest) -> AsyncStream:
        got = await self.pool.send(request)
        answer = Answer(got.status, got.headers, got.body, origin_of(request))
        return AsyncStream(answer, _no_chunks(), _nothing)

    async def _head(self, request: HttpRequest) -> AsyncStream:
        opened = self.pool.stream(request, silence_s=self.settings.silence_s)
        got = await opened.__aenter__()

        async def close() -> None:
            await opened.__aexit__(None, None, None)

        head = Answer(got.status, got.headers, b"", origin_of(request))
        return AsyncStream(head, got.chunks, close)


async def _no_chunks() -> AsyncIterator[bytes]:
    for chunk in _NO_CHUNKS:
        yield chunk


async def _nothing() -> None:
    pass
