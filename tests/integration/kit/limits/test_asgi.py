"""The limit in front of a web application."""

import asyncio
from collections.abc import Mapping
from typing import Annotated, Any

import pytest

from opsctl.kit import DART, KIS
from opsctl.kit.testing import FakeClock, async_memory_limiter

pytest.importorskip("fastapi", reason="the extra `fastapi` is not installed")

from fastapi import Depends, FastAPI

from opsctl.kit.asgi import RateLimitDependency


class Asked:
    """One request to an application, without a server."""

    def __init__(self, application: Any, path: str, address: str) -> None:
        self.status = 0
        self.headers: Mapping[str, str] = {}
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "GET",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "headers": [],
            "client": (address, 1),
            "server": ("test", 80),
            "scheme": "http",
        }
        asyncio.run(application(scope, self._receive, self._send))

    async def _receive(self) -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def _send(self, message: Mapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = {name.decode(): value.decode() for name, value in message["headers"]}


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def application(clock: FakeClock) -> FastAPI:
    application = FastAPI()
    limiter = async_memory_limiter(clock)

    @application.get("/price", dependencies=[Depends(RateLimitDependency(limiter, KIS))])
    async def price() -> int:
        return 1

    everybody = RateLimitDependency(limiter, DART, subject=lambda _: "all")

    @application.get("/shared")
    async def shared(decision: Annotated[Any, Depends(everybody)]) -> int:
        remaining: int = decision.remaining
        return remaining

    return application


def test_within_the_limit_an_answer_says_what_is_left(application: FastAPI) -> None:
    asked = Asked(application, "/price", "10.0.0.1")

    assert asked.status == 200
    assert asked.headers["x-ratelimit-limit"] == "5"
    assert asked.headers["x-ratelimit-remaining"] == "4"


def test_beyond_it_the_answer_is_429_and_says_when(application: FastAPI) -> None:
    asked = [Asked(application, "/price", "10.0.0.1") for _ in range(6)][-1]

    assert asked.status == 429
    assert asked.headers["x-ratelimit-remaining"] == "0"
    assert asked.headers["retry-after"] == "1"
    assert asked.headers["x-ratelimit-reset"] == "1"


def test_a_window_later_there_is_room_again(application: FastAPI, clock: FakeClock) -> None:
    for _ in range(6):
        Asked(application, "/price", "10.0.0.1")
    clock.advance(1.0)

    assert Asked(application, "/price", "10.0.0.1").status == 200


def test_callers_are_counted_apart_unless_one_says_otherwise(application: FastAPI) -> None:
    for _ in range(6):
        Asked(application, "/price", "10.0.0.1")

    other = Asked(application, "/price", "10.0.0.2")
    shared = [Asked(application, "/shared", f"10.0.0.{n}") for n in range(3)][-1]

    assert other.status == 200
    assert shared.headers["x-ratelimit-remaining"] == "97"
