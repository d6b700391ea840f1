"""Sends requests and receives responses on an event loop in a thread of its own.

There a request can be cancelled, so that even a server that answers one byte at a time cannot
exceed the deadline.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from opsctl.kit import adapters
from opsctl.kit.http.options import HttpClientOptions
from opsctl.kit.http.request import origin_of
from opsctl.kit.http.response import Response
from opsctl.systems.event_loop import Loop
from opsctl.systems.http.client import HttpRequest


class ResponseStream:
    """A response whose body is read in chunks."""

    def __init__(
        self,
        response: Response,
        next_chunk: Callable[[], bytes | None],
        close: Callable[[], None],
    ) -> None:
        self.response = response
        """Status and headers; its body is empty."""
        self._next_chunk = next_chunk
        self.close = close

    def chunks(self) -> Iterator[bytes]:
        while (chunk := self._next_chunk()) is not None:
            yield chunk


@dataclass(frozen=True)
class HttpTransport(HttpClientOptions):
    loop: Loop = field(default_factory=adapters.loop_thread, repr=False)

    def close(self) -> None:
        """Close the connections, also for every client that was made from this one."""
        self.loop.run(self.pool.close())
        self.loop.close()

    def _send(self, request: HttpRequest) -> ResponseStream:
        received = self.loop.run(self.pool.send(request))
        origin = origin_of(request)
        response = Response(received.status, received.headers, received.body, origin)
        return ResponseStream(response, _no_chunk, _do_nothing)

    def _open_stream(self, request: HttpRequest) -> ResponseStream:
        opened = self.pool.stream(request, silence_s=self.settings.silence_s)
        received = self.loop.run(opened.__aenter__())

        async def next_chunk() -> bytes | None:
            return await anext(received.chunks, None)

        async def close() -> None:
            await opened.__aexit__(None, None, None)

        head = Response(received.status, received.headers, b"", origin_of(request))
        return ResponseStream(
            head, lambda: self.loop.run(next_chunk()), lambda: self.loop.run(close())
        )


def _no_chunk() -> None:
    return None


def _do_nothing() -> None:
    pass
