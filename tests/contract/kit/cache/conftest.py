"""Both faces of the cache, over every backend."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from opsctl.kit import AsyncCache, AsyncClient, Backend, Cache, CacheLimits, Client, Setup
from opsctl.systems.redis.client import RedisLimits
from tests.contract.kit.faces import Face, loop, make
from tests.waiting import wait_for

Open = Callable[..., Face]
# Redis is there all the time: a late answer would make it away, and memory empty.
IN_TIME = RedisLimits(answer_s=20.0, connections=16)


@pytest.fixture(params=["sync", "async"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def open_cache(kind: str, redis_url: str) -> Iterator[Open]:
    with loop(kind) as runner:
        opened: list[Face] = []

        def open_(backend: str = "layered", **limits: Any) -> Face:
            setup = Setup(prefix="t", backend=Backend(backend), limits=CacheLimits(**limits))

            def build() -> Any:
                client_type: Any = Client if runner is None else AsyncClient
                cache_type: Any = Cache if runner is None else AsyncCache
                client = None
                if backend != "memory":
                    client = client_type(redis_url, service="test", limits=IN_TIME)
                opened.append(Face(client, runner))
                return cache_type(client, setup=setup)

            face = Face(make(runner, build), runner)
            opened.append(face)
            return face

        yield open_
        for face in reversed(opened):
            if face.part is not None:
                face.close()


@pytest.fixture(params=["memory", "redis", "layered"])
def cache(open_cache: Open, request: pytest.FixtureRequest) -> Face:
    face = open_cache(request.param)
    ready(face)
    return face


def ready(face: Face) -> None:
    """Wait until the cache hears of changes by others."""
    if face.part._layers.backend is not Backend.LAYERED:
        return
    face.exists("warm")

    def hears() -> bool:
        face.settle()
        return bool(face.part._layers.hears)

    wait_for(hears, 30, "the cache to listen")
