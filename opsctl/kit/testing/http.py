"""A fake HTTP pool with scripted responses; an unexpected request fails the test."""

import json
import sys
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from opsctl.errors import OpsctlError
from opsctl.systems.http.client import HttpRequest, HttpResponse
from opsctl.systems.http.pool import HttpStream


class FakeHttp:
    """Pass it to a client as its `pool`; `sent` lists the requests."""

    def __init__(self) -> None:
        self.sent: list[HttpRequest] = []
        self._script: defaultdict[tuple[str, str], deque[HttpResponse | OpsctlError]]
        self._script = defaultdict(deque)

    def answers(
        self,
        method: str,
        url: str,
        *,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        body: bytes | str | dict[str, Any] | list[Any] = b"",
    ) -> "FakeHttp":
        """Queue a response; the last one of a URL is repeated."""
        lower = {name.lower(): value for name, value in (headers or {}).items()}
        self._script[method, url].append(HttpResponse(status, lower, _to_bytes(body)))
        return self

    def fails(self, method: str, url: str, error: OpsctlError) -> "FakeHttp":
        """Queue an error to raise."""
        self._script[method, url].append(error)
        return self

    async def send(self, request: HttpRequest) -> HttpResponse:
        self.sent.append(request)
        script = self._script.get((request.method, request.url))
        if script is None:
            raise AssertionError(f"unexpected request: {request.method} {request.url}")
        outcome = script.popleft() if len(script) > 1 else script[0]
        if isinstance(outcome, OpsctlError):
            raise outcome
        if len(outcome.body) > request.max_body_bytes:
            raise OpsctlError("the answer is too long")
        return outcome

    @asynccontextmanager
    async def stream(self, request: HttpRequest, *, silence_s: float) -> AsyncIterator[HttpStream]:  # noqa: ARG002 - it never pauses
        # A stream has no size limit.
        response = await self.send(replace(request, max_body_bytes=sys.maxsize))
        yield HttpStream(response.status, response.headers, _chunks(response.body))

    async def close(self) -> None:
        pass


async def _chunks(body: bytes, size: int = 1024) -> AsyncIterator[bytes]:
    for start in range(0, len(body), size):
        yield body[start : start + size]


def _to_bytes(body: bytes | str | dict[str, Any] | list[Any]) -> bytes:
    if isinstance(body, bytes):
        return body
    return body.encode() if isinstance(body, str) else json.dumps(body).encode()
