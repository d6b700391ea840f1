# Generated from opsctl/kit/http/async_client.py by `make unasync`: edit that file instead.
"""`HttpClient`: retries what is safe, within a deadline, a rate limit and a breaker."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self, Unpack

from opsctl.errors import UnreachableError
from opsctl.kit.errors import BreakerOpenError
from opsctl.kit.http.request import PendingRequest, RequestOptions
from opsctl.kit.http.response import Response
from opsctl.kit.http.retries import describe_failure
from opsctl.kit.http.thread_transport import HttpTransport, ResponseStream
from opsctl.kit.limits.rates import Rate
from opsctl.systems.http.client import HttpRequest

if TYPE_CHECKING:
    from opsctl.kit.limits.limiter import RateLimiter

_Fetch = Callable[[HttpRequest], ResponseStream]


@dataclass(frozen=True)
class HttpClient(HttpTransport):
    """Threads may share one."""

    limiter: "RateLimiter | None" = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def with_rate_limiter(self, limiter: "RateLimiter", rate: Rate | str) -> Self:
        """Wait for the rate limit before every attempt, as long as the deadline allows."""
        return replace(self, limiter=limiter, rate=rate)

    def get(self, url: str, **options: Unpack[RequestOptions]) -> Response:
        return self.request("GET", url, **options)

    def post(self, url: str, **options: Unpack[RequestOptions]) -> Response:
        """Retried only if the server cannot have acted on it, or with an Idempotency-Key."""
        return self.request("POST", url, **options)

    def put(self, url: str, **options: Unpack[RequestOptions]) -> Response:
        return self.request("PUT", url, **options)

    def delete(self, url: str, **options: Unpack[RequestOptions]) -> Response:
        return self.request("DELETE", url, **options)

    def request(self, method: str, url: str, **options: Unpack[RequestOptions]) -> Response:
        """Return any response, 404 and 503 too; UnreachableError when there is none."""
        received = self._fetch(self._prepare(method, url, options), self._send)
        return received.response

    @contextmanager
    def stream(
        self, method: str, url: str, **options: Unpack[RequestOptions]
    ) -> Iterator[ResponseStream]:
        """Retry until there is a response; its body is read in chunks, without retries."""
        stream = self._fetch(self._prepare(method, url, options), self._open_stream)
        try:
            yield stream
        finally:
            stream.close()

    def _fetch(self, pending: PendingRequest, send: _Fetch) -> ResponseStream:
        while True:
            try:
                received = self._attempt(pending, send)
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
                received.close()
            self.clock.sleep(pause_s)

    def _attempt(self, pending: PendingRequest, send: _Fetch) -> ResponseStream:
        with self._guard() as guarded:
            if self.limiter is not None:
                self.limiter.wait(self.rate, max_wait=pending.left_s)
            received = send(pending.next_request(self.settings.attempt_s))
            guarded.mark_failed(describe_failure(received.response))
            return received
