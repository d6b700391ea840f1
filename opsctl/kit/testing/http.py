"""An HTTP that answers from a script; a request that nobody expected fails the test."""

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
    """Hand it to a client as its `pool`; `sent` lists what was asked."""

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
        """Queue an answer; the last one of a URL is given again and again."""
        named = {name.lower(): value for name, value in (headers or {}).items()}
        self._script[method, url].append(HttpResponse(status, named, _bytes(body)))
        return self

    def fails(self, method: str, url: str, error: OpsctlError) -> "FakeHttp":
        """Queue an error, which is raised."""
        self._script[method, url].append(error)
        return self

    async def send(self, request: HttpRequest) -> HttpResponse:
        self.sent.append(request)
        script = self._script.get((request.method, request.url))
        if script is None:
            raise AssertionError(f"nobody expected {request.method} {request.url}")
        outcome = script.popleft() if len(script) > 1 else script[0]
        if isinstance(outcome, OpsctlError):
            raise outcome
        if len(outcome.body) > request.max_body_bytes:
            raise OpsctlError("the answer is too long")
        return outcome

    @asynccontextmanager
    async def stream(self, request: HttpRequest, *, silence_s: float) -> AsyncIterator[HttpStream]:  # noqa: ARG002 - nothing is silent here
        # A stream is as long as it likes.
        answer = await self.send(replace(request, max_body_bytes=sys.maxsize))
        yield HttpStream(answer.status, answer.headers, _pieces(answer.body))

    async def close(self) -> None:
        pass


async def _pieces(body: bytes, size: int = 1024) -> AsyncIterator[bytes]:
    for start in range(0, len(body), size):
        yield body[start : start + size]


def _bytes(body: bytes | str | dict[str, Any] | list[Any]) -> bytes:
    if isinstance(body, bytes):
        return body
    return body.encode() if isinstance(body, str) else json.dumps(body).encode()
