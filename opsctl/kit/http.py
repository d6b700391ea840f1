"""`HttpClient`: HTTP for threads, which retries what is safe, within limit and breaker."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Self, Unpack

from opsctl.errors import UnreachableError
from opsctl.kit import parts
from opsctl.kit.errors import BreakerOpenError
from opsctl.kit.http_answer import Answer
from opsctl.kit.http_call import Call, Order, origin_of
from opsctl.kit.http_client import BaseHttpClient
from opsctl.kit.http_rules import failure_of
from opsctl.kit.rates import Rate
from opsctl.systems.event_loop import Loop
from opsctl.systems.http.client import HttpRequest

if TYPE_CHECKING:
    from opsctl.kit.limiter import RateLimiter


class Stream:
    """An answer that is read piece by piece."""

    def __init__(
        self, answer: Answer, following: Callable[[], bytes | None], close: Callable[[], None]
    ) -> None:
        self.answer = answer
        """Status and headers; its body is empty."""
        self._following = following
        self.close = close

    def chunks(self) -> Iterator[bytes]:
        while (chunk := self._following()) is not None:
            yield chunk


@dataclass(frozen=True)
class HttpClient(BaseHttpClient):
    """Threads share one; it works on an event loop in a thread of its own."""

    limiter: "RateLimiter | None" = None
    loop: Loop = field(default_factory=parts.loop_thread, repr=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def with_rate_limiter(self, limiter: "RateLimiter", rate: Rate | str) -> Self:
        """Wait for the limit before every attempt, as long as the deadline allows."""
        return replace(self, limiter=limiter, rate=rate)

    def get(self, url: str, **call: Unpack[Call]) -> Answer:
        return self.request("GET", url, **call)

    def post(self, url: str, **call: Unpack[Call]) -> Answer:
        """Repeated only if it cannot have been done, or carries an Idempotency-Key."""
        return self.request("POST", url, **call)

    def put(self, url: str, **call: Unpack[Call]) -> Answer:
        return self.request("PUT", url, **call)

    def delete(self, url: str, **call: Unpack[Call]) -> Answer:
        return self.request("DELETE", url, **call)

    def request(self, method: str, url: str, **call: Unpack[Call]) -> Answer:
        """Fetch whatever answers, 404 and 503 too; UnreachableError when nothing does."""
        return self._deliver(self._order(method, url, call), self._whole).answer

    @contextmanager
    def stream(self, method: str, url: str, **call: Unpack[Call]) -> Iterator[Stream]:
        """Fetch the head with retries; the body comes piece by piece and is not retried."""
        stream = self._deliver(self._order(method, url, call), self._head)
        try:
            yield stream
        finally:
            stream.close()

    def close(self) -> None:
        """Close the connections, also of all clients made from this one."""
        self.loop.run(self.pool.close())
        self.loop.close()

    def _deliver(self, sent: Order, fetch: Callable[[HttpRequest], Stream]) -> Stream:
        while True:
            try:
                found = self._attempt(sent, fetch)
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
                found.close()
            self.clock.sleep(pause_s)

    def _attempt(self, sent: Order, fetch: Callable[[HttpRequest], Stream]) -> Stream:
        with self._guard() as attempt:
            if self.limiter is not None:
                self.limiter.wait(self.rate, max_wait=sent.left_s)
            found = fetch(sent.next_request(self.settings.attempt_s))
            attempt.failed(failure_of(found.answer))
            return found

    def _whole(self, request: HttpRequest) -> Stream:
        got = self.loop.run(self.pool.send(request))
        return Stream(Answer(got.status, got.headers, got.body, origin_of(request)), _end, _end)

    def _head(self, request: HttpRequest) -> Stream:
        opened = self.pool.stream(request, silence_s=self.settings.silence_s)
        got = self.loop.run(opened.__aenter__())

        async def following() -> bytes | None:
            return await anext(got.chunks, None)

        async def close() -> None:
            await opened.__aexit__(None, None, None)

        head = Answer(got.status, got.headers, b"", origin_of(request))
        return Stream(head, lambda: self.loop.run(following()), lambda: self.loop.run(close()))


def _end() -> None:
    return None
