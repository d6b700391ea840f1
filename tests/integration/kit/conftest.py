"""Clients on real servers, closed behind the test."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from opsctl.kit import RedisClient
from opsctl.systems.redis.client import RedisLimits
from tests.engines.redis import RedisServer

QUICK = RedisLimits(answer_s=0.5, connections=4)
MakeClient = Callable[..., RedisClient]


@pytest.fixture
def client_of() -> Iterator[MakeClient]:
    """Make a client of a server or a URL, with deadlines short enough to be waited for."""
    with ExitStack() as stack:

        def make(at: RedisServer | str, **options: Any) -> RedisClient:
            url = at if isinstance(at, str) else at.url(options.pop("db", 1))
            options.setdefault("service", "test")
            options.setdefault("limits", QUICK)
            return stack.enter_context(RedisClient(url, **options))

        yield make
