"""Sends requests and receives responses on the event loop of the caller."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

from opsctl.kit.http.options import HttpClientOptions
from opsctl.kit.http.request import origin_of
from opsctl.kit.http.response import Response
from opsctl.systems.http.client import HttpRequest

_NO_CHUNKS: tuple[bytes, ...] = ()


class AsyncResponseStream:
    """A response whose body is read in chunks."""

    def __init__(
        self,
        response: Response,
        chunks: AsyncIterator[bytes],
        close: Callable[[], Awaitable[None]],
    ) -> None:
        self.response = response
        """Status and headers; its body is empty."""
        self._chunks = chunks
        self.close = close

    def chunks(self) -> AsyncIterator[bytes]:
        return self._chunks


@dataclass(frozen=True)
class AsyncHttpTransport(HttpClientOptions):
    async def close(self) -> None:
        """Close the connections, also for every client that was made from this one."""
        await self.pool.close()

    async def _send(self, request: HttpRequest) -> AsyncResponseStream:
        received = await self.pool.send(request)
        origin = origin_of(request)
        response = Response(received.status, received.headers, received.body, origin)
        return AsyncResponseStream(response, _no_chunks(), _do_nothing)

    async def _open_stream(self, request: HttpRequest) -> AsyncResponseStream:
        opened = self.pool.stream(request, silence_s=self.settings.silence_s)
        received = await opened.__aenter__()

        async def close() -> None:
            await opened.__aexit__(None, None, None)

        head = Response(received.status, received.headers, b"", origin_of(request))
        return AsyncResponseStream(head, received.chunks, close)


async def _no_chunks() -> AsyncIterator[bytes]:
    for chunk in _NO_CHUNKS:
        yield chunk


async def _do_nothing() -> None:
    pass
