"""Both forms of the cache, over every backend."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from opsctl.kit import (
    AsyncCache,
    AsyncRedisClient,
    Backend,
    Cache,
    CacheLimits,
    CacheOptions,
    RedisClient,
)
from opsctl.systems.redis.client import RedisLimits
from tests.contract.kit.forms import Form, loop, make
from tests.waiting import wait_for

Open = Callable[..., Form]
# Redis is there all the time: a late answer would make it away, and memory empty.
IN_TIME = RedisLimits(answer_s=20.0, connections=16)


@pytest.fixture(params=["sync", "async"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def open_cache(kind: str, redis_url: str) -> Iterator[Open]:
    with loop(kind) as runner:
        opened: list[Form] = []

        def open_(backend: str = "layered", **limits: Any) -> Form:
            options = CacheOptions(
                prefix="t", backend=Backend(backend), limits=CacheLimits(**limits)
            )

            def build() -> Any:
                client_type: Any = RedisClient if runner is None else AsyncRedisClient
                cache_type: Any = Cache if runner is None else AsyncCache
                client = None
                if backend != "memory":
                    client = client_type(redis_url, service="test", limits=IN_TIME)
                opened.append(Form(client, runner))
                return cache_type(client, options=options)

            form = Form(make(runner, build), runner)
            opened.append(form)
            return form

        yield open_
        for form in reversed(opened):
            if form.part is not None:
                form.close()


@pytest.fixture(params=["memory", "redis", "layered"])
def cache(open_cache: Open, request: pytest.FixtureRequest) -> Form:
    form = open_cache(request.param)
    ready(form)
    return form


def ready(form: Form) -> None:
    """Wait until the cache hears of changes by others."""
    if form.part._state.backend is not Backend.LAYERED:
        return
    form.exists("warm")

    def hears() -> bool:
        form.settle()
        return bool(form.part._state.listening)

    wait_for(hears, 30, "the cache to listen")
